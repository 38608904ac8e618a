"""Single arguments: what is accepted, and the one line that refuses the rest."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.arguments import check_choice, check_memory, check_positive_integer, shown
from derivations.errors import InputError


@pytest.mark.parametrize("value", [1, 7, np.int8(7), np.uint64(2**64 - 1), 10**30])
def test_positive_integers_are_returned_as_python_ints(value):
    result = check_positive_integer(value, "width")
    assert type(result) is int
    assert result == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-3, "-3"),
        (0, "0"),
        (np.int64(-3), "-3"),
        (True, "True"),
        (np.True_, "True"),
        (2.0, "2.0"),
        (np.float32(2.5), "2.5"),
        ("64", "'64'"),
        (None, "None"),
        (np.array([4]), "array([4])"),
    ],
)
def test_anything_but_a_positive_integer_is_refused_with_its_value(value, said):
    with pytest.raises(InputError) as caught:
        check_positive_integer(value, "width")
    assert str(caught.value) == f"width must be a positive integer, got {said}"


def test_an_integer_too_long_to_write_out_is_refused_without_its_digits():
    with pytest.raises(InputError, match="got an integer of thousands of digits"):
        check_positive_integer(-(10**5000), "width")


def test_a_choice_is_returned():
    assert check_choice("ntk", "kind", ("ntk", "nngp")) == "ntk"


@pytest.mark.parametrize(
    ("value", "end"),
    [
        ("standardise", "got 'standardise': did you mean 'standardize'?"),
        ("RAW", "got 'RAW': did you mean 'raw'?"),
        ("zzz", "got 'zzz'"),
        ("", "got ''"),
        (3, "got 3"),
        (None, "got None"),
        (["raw"], "got ['raw']"),
        (np.array(["raw", "raw"]), "got array(['raw', 'raw'], dtype='<U3')"),
    ],
)
def test_another_choice_is_refused_with_the_list_and_the_nearest(value, end):
    with pytest.raises(InputError) as caught:
        check_choice(value, "prepare", ("raw", "standardize", "normalize"))
    assert str(caught.value) == f"prepare must be one of raw, standardize, normalize, {end}"


@pytest.fixture
def two_gib_available(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2**31))


@pytest.mark.usefixtures("two_gib_available")
def test_memory_that_just_suffices_is_granted_and_one_row_more_is_not():
    check_memory(2**14, 2**14, 1, "a kernel")
    with pytest.raises(InputError):
        check_memory(2**14 + 1, 2**14, 1, "a kernel")


@pytest.mark.usefixtures("two_gib_available")
def test_missing_memory_is_told_with_what_is_needed_and_what_there_is():
    with pytest.raises(InputError) as caught:
        check_memory(10**6, 10**6, 1, "a kernel")
    assert (
        str(caught.value)
        == "n = 1000000 rows need a kernel of 7450.6 GiB, 2.0 GiB are available; use fewer rows"
    )


@pytest.mark.usefixtures("two_gib_available")
def test_every_copy_counts():
    check_memory(2**13, 2**14, 2, "a kernel")
    with pytest.raises(InputError, match=r"need 3\.0 GiB for 3 copies of a kernel, 2\.0 GiB are available"):
        check_memory(2**13, 2**14, 3, "a kernel")


@pytest.mark.usefixtures("two_gib_available")
def test_sizes_beyond_the_range_of_floats_are_refused_and_do_not_overflow():
    with pytest.raises(InputError, match="use fewer rows"):
        check_memory(10**200, 10**200, 1, "a kernel")


anything: st.SearchStrategy[Any] = st.one_of(
    st.text(),
    st.binary(),
    st.integers(),
    st.floats(),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.text()),
)


@given(anything)
def test_whatever_is_shown_takes_one_short_line(value):
    text = shown(value)
    assert len(text.splitlines()) == 1
    assert len(text) <= 63
