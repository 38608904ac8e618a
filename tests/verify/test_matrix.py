"""The data matrix: what is accepted, the one line that refuses the rest, and the scalings of rows."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from derivations.errors import InputError
from derivations.matrix import check_matrix
from verify.prepare import prepare_rows

EPS = np.finfo(float).eps


def refusal(X: object) -> str:
    with pytest.raises(InputError) as caught:
        check_matrix(X)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_contiguous_float64_matrix_is_returned_without_a_copy():
    X = np.arange(6.0).reshape(2, 3)
    assert check_matrix(X) is X


@pytest.mark.parametrize(
    "dtype", [bool, np.int8, np.uint64, np.int64, np.float16, np.float32, np.longdouble, ">f8", ">i4"]
)
def test_every_real_dtype_becomes_float64_of_the_same_values(dtype):
    X = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    result = check_matrix(X)
    assert result.dtype == np.dtype("=f8")
    assert result.tolist() == [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]


@pytest.mark.parametrize(
    "view",
    [
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(24.0).reshape(3, 8)[:, ::2],
        np.arange(12.0).reshape(3, 4)[::-1, ::-1],
        np.arange(12.0).reshape(4, 3).T,
        np.broadcast_to(np.arange(4.0), (3, 4)),
    ],
)
def test_every_memory_layout_becomes_c_contiguous_with_the_same_values(view):
    result = check_matrix(view)
    assert result.flags.c_contiguous
    assert np.array_equal(result, view)


def test_subclasses_lists_and_tuples_become_plain_arrays():
    for X in (np.array([[1.0, 2.0]]).view(np.recarray), [[1, 2]], ((1, 2.0),), [np.array([1, 2])]):
        result = check_matrix(X)
        assert type(result) is np.ndarray
        assert result.tolist() == [[1.0, 2.0]]


def test_a_masked_array_without_masked_values_is_accepted():
    assert check_matrix(np.ma.masked_array([[1.0, 2.0]], mask=False)).tolist() == [[1.0, 2.0]]


def test_integers_beyond_the_mantissa_and_beyond_64_bits_are_rounded():
    assert check_matrix([[2**53 + 1, -(2**63)]]).tolist() == [[2.0**53, -(2.0**63)]]
    assert check_matrix([[10**30, 1], [0.5, True]]).tolist() == [[1e30, 1.0], [0.5, 1.0]]


def test_an_integer_beyond_float64_is_refused():
    assert refusal([[10**400, 1]]) == "X must hold numbers below 1.8e308, got an integer that is larger"


def test_a_vector_is_refused_with_the_two_ways_to_reshape_it():
    assert refusal(np.ones(5)) == (
        "X must be a matrix of shape (n, d), one row per sample, got shape (5,): reshape(-1, 1) reads it as "
        "5 samples in one dimension, reshape(1, -1) as one sample"
    )


@pytest.mark.parametrize(("X", "shape"), [(3.0, "()"), (np.ones((2, 3, 4)), "(2, 3, 4)")])
def test_another_rank_is_refused_with_the_shape(X, shape):
    assert refusal(X) == f"X must be a matrix of shape (n, d), one row per sample, got shape {shape}"


@pytest.mark.parametrize(
    ("X", "shape"), [(np.ones((0, 3)), "(0, 3)"), (np.ones((3, 0)), "(3, 0)"), ([], "(0,)"), ([[]], "(1, 0)")]
)
def test_an_empty_matrix_is_refused_with_the_shape(X, shape):
    assert refusal(X) == f"X must have at least one row and one column, got shape {shape}"


@pytest.mark.parametrize(
    ("X", "dtype"),
    [
        (np.ones((2, 2), complex), "complex128 (complex numbers"),
        (np.ones((2, 2), object), "object (Python objects"),
        ([[None, 1.0]], "object (Python objects"),
        ([[Fraction(1, 2)]], "object (Python objects"),
        (None, "object (Python objects"),
        ({"a": 1}, "object (Python objects"),
        ([["1.0", "2.0"]], "<U3 (text)"),
        ([[1, "2"]], "<U21 (text)"),
        ("digits", "<U6 (text)"),
        ([[b"1"]], "|S1 (text)"),
        (np.zeros((2, 2), [("a", float), ("b", float)]), "void (a structured"),
        (np.zeros((2, 2), "M8[s]"), "datetime64[s] (dates)"),
        (np.zeros((2, 2), "m8[s]"), "timedelta64[s] (time spans)"),
    ],
)
def test_what_is_not_real_numbers_is_refused_with_its_dtype(X, dtype):
    assert refusal(X).startswith(f"X must hold real numbers, got dtype {dtype}")


def test_rows_of_unequal_length_are_refused():
    assert refusal([[1, 2], [3]]) == (
        "X must be a matrix of shape (n, d), got a list that NumPy cannot read as one "
        "(rows of unequal length?)"
    )


def test_an_object_whose_conversion_fails_is_refused():
    class Tensor:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            raise RuntimeError("detach it first")

    assert "got a Tensor that NumPy cannot read as one" in refusal(Tensor())


def test_masked_values_are_refused_rather_than_uncovered():
    X = np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    assert refusal(X) == "X must not have masked values, got 1: fill or drop them"


@pytest.mark.parametrize(("value", "said"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_first_value_that_is_not_finite_is_told_with_its_place_and_the_count(value, said, dtype):
    X = np.ones((3, 4), dtype)
    X[1, 2] = value
    X[2, 0] = np.nan
    assert refusal(X) == (
        f"X must hold finite numbers, got {said} at row 1, column 2 (counted from 0); "
        "not finite: 2 of 12 entries"
    )


def test_a_long_double_beyond_float64_is_told_as_it_was_given():
    wide = np.finfo(np.longdouble).max > np.finfo(np.float64).max
    X = np.array([[1.0, np.longdouble("1e4000") if wide else np.inf]], np.longdouble)
    assert f"got {'1e+4000' if wide else 'inf'} at row 0, column 1" in refusal(X)


def test_the_argument_keeps_the_name_it_is_given():
    with pytest.raises(InputError, match=r"^targets must have at least one row"):
        check_matrix([], "targets")


hostile_arrays = hnp.arrays(
    st.one_of(
        hnp.boolean_dtypes(),
        hnp.integer_dtypes(),
        hnp.floating_dtypes(),
        hnp.complex_number_dtypes(),
        hnp.unicode_string_dtypes(),
        hnp.datetime64_dtypes(),
    ),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)


@given(hostile_arrays)
def test_any_array_is_either_a_finite_matrix_or_refused_in_one_line(X):
    line = ""
    try:
        result = check_matrix(X)
    except InputError as error:
        line = str(error)
    if line:
        assert line.startswith("X must ")
        assert "\n" not in line
    else:
        assert result.dtype == np.float64
        assert result.flags.c_contiguous
        assert np.isfinite(result).all()
        assert np.array_equal(result, X.astype(float))


def test_raw_changes_nothing_and_copies_nothing():
    X = np.arange(6.0).reshape(2, 3)
    assert prepare_rows(X, "raw") is X


@pytest.mark.parametrize("how", ["standardize", "normalize"])
def test_a_scaling_leaves_its_input_as_it_was(how):
    X = np.arange(1.0, 7.0).reshape(2, 3)
    before = X.copy()
    prepare_rows(X, how)
    assert np.array_equal(X, before)


def test_an_unknown_scaling_is_refused_before_the_data_are_looked_at():
    with pytest.raises(InputError, match=r"^prepare must be one of raw, standardize, normalize, got 'scale'"):
        prepare_rows("no matrix", "scale")


@pytest.mark.parametrize("how", ["raw", "standardize", "normalize"])
def test_every_scaling_checks_its_data(how):
    with pytest.raises(InputError, match="X must hold finite numbers, got nan"):
        prepare_rows([[np.nan]], how)


@pytest.mark.parametrize("magnitude", [5e-324, 1e-310, 1e-150, 1e-8, 1.0, 1e150, 1e307])
def test_standardized_columns_have_mean_zero_and_variance_one_at_every_magnitude(magnitude):
    rng = np.random.default_rng(1)
    X = rng.integers(-9, 10, (50, 4)) * magnitude
    Y = prepare_rows(X, "standardize")
    # Sums of n terms below 9 in size err by at most n eps times their absolute sum; n = 50.
    assert np.abs(Y.mean(axis=0)).max() <= 50 * EPS
    assert np.abs(np.mean(Y**2, axis=0) - 1).max() <= 200 * EPS


def test_standardization_does_not_depend_on_units():
    X = np.random.default_rng(2).standard_normal((20, 3))
    reference = prepare_rows(X, "standardize")
    assert np.array_equal(prepare_rows(X * 2.0**500, "standardize"), reference)
    assert np.array_equal(prepare_rows(X * -(2.0**-500), "standardize"), -reference)


def test_a_large_offset_costs_no_digits():
    X = np.array([[0.0], [1.0], [2.0], [5.0]])
    # 2^40 + integers is exact, so is the difference from the first row.
    assert np.array_equal(prepare_rows(X + 2.0**40, "standardize"), prepare_rows(X, "standardize"))


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e150, 1e-310, 1.7e308])
def test_constant_columns_become_zero(constant):
    X = np.column_stack([np.arange(7.0), np.full(7, constant)])
    Y = prepare_rows(X, "standardize")
    assert np.array_equal(Y[:, 1], np.zeros(7))
    assert Y[0, 0] == pytest.approx(-1.5, rel=4 * EPS)


def test_columns_that_differ_in_the_last_bit_are_not_taken_for_constant():
    assert prepare_rows([[1.0], [1.0 + EPS]], "standardize").tolist() == [[-1.0], [1.0]]


def test_a_single_row_standardizes_to_zero():
    assert prepare_rows([[3.0, -4.0]], "standardize").tolist() == [[0.0, 0.0]]


@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(1, 4), st.integers(1, 5)),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_normalized_rows_have_squared_length_d_and_keep_their_direction(X):
    X[~X.any(axis=1)] = 5e-324
    d = X.shape[1]
    Y = prepare_rows(X, "normalize")
    # d products, their sum, a root, a quotient and a product: each within eps.
    assert np.abs(np.sum(Y**2, axis=1) - d).max() <= d * (d + 8) * EPS
    largest = np.abs(X).argmax(axis=1)
    rows = np.arange(len(X))
    assert np.array_equal(np.sign(Y[rows, largest]), np.sign(X[rows, largest]))
    # Proportional: Y x_max = X y_max, compared after division by x_max (at most 1 in size).
    ratios = X / X[rows, largest][:, None]
    assert np.abs(Y / Y[rows, largest][:, None] - ratios).max() <= 4 * EPS


def test_normalizing_a_zero_row_is_refused_with_the_row():
    X = np.ones((5, 2))
    X[[2, 4]] = 0.0
    with pytest.raises(InputError) as caught:
        prepare_rows(X, "normalize")
    assert str(caught.value) == (
        "prepare must be raw or standardize for these data, got 'normalize': row 2 (counted from 0), "
        "the first of 2, is zero and has no direction"
    )


@pytest.mark.parametrize("how", ["standardize", "normalize"])
def test_scalings_raise_no_floating_point_signal(how):
    X = np.array([[1e150, 1e-310], [-1e-150, 1.0], [1.0, 1.7e308]])
    with np.errstate(all="raise"):
        assert np.isfinite(prepare_rows(X, how)).all()
