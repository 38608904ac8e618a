"""Text tables: what is read as numbers, and the line and column of what is not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from derivations.errors import InputError
from verify.inputs import read_input


def table(folder: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path) -> str:
    """The error line, without the file's name with which it has to start."""
    with pytest.raises(InputError) as caught:
        read_input(path)
    line, start = str(caught.value), f"input {str(path)!r} "
    assert "\n" not in line
    assert line.startswith(start)
    return line.removeprefix(start)


@pytest.mark.parametrize(
    "text",
    [
        "1,2.5\n-3,4e2\n",
        "1,2.5\n-3,4e2",
        "a,b\n1,2.5\n-3,4e2\n",
        "1,2.5\r\n-3,4e2\r\n",
        "1,2.5\r-3,4e2\r",
        "\ufeff1,2.5\n-3,4e2\n",
        "\ufeffa,b\n1,2.5\n-3,4e2\n",
        '"1","2.5"\n"-3","4e2"\n',
        '"name, unit","two\nlines"\n1,2.5\n-3,4e2\n',
        " 1 ,\t2.5\n+3e-0,400\n".replace("+3e-0", "-3e+0"),
        "1,2.5\n-3,4e2\n\n\n  \n",
        "größe,b\n1,2.5\n-3,4e2\n",
    ],
)
def test_a_table_is_read_with_any_usual_header_quoting_and_line_ending(tmp_path, text):
    result = read_input(table(tmp_path, text))
    assert result.dtype == np.float64
    assert result.flags.c_contiguous
    assert result.flags.writeable
    assert result.tolist() == [[1.0, 2.5], [-3.0, 400.0]]


def test_tabs_separate_the_cells_of_a_tsv(tmp_path):
    assert read_input(table(tmp_path, "a,x\tb\n1\t2\n", "a.tsv")).tolist() == [[1.0, 2.0]]


def test_one_row_and_one_column_are_enough(tmp_path):
    assert read_input(table(tmp_path, "7")).tolist() == [[7.0]]


def test_integers_beyond_64_bits_are_rounded(tmp_path):
    assert read_input(table(tmp_path, f"{10**30},1")).tolist() == [[1e30, 1.0]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(1, 4), st.integers(1, 4)),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    ),
    st.booleans(),
)
def test_every_float64_survives_the_way_through_a_table(tmp_path, X, header):
    lines = [",".join(map(repr, row)) for row in X.tolist()]
    if header:
        lines.insert(0, ",".join("abcd"[: X.shape[1]]))
    assert np.array_equal(read_input(table(tmp_path, "\n".join(lines))), X)


@pytest.mark.parametrize("text", ["", "\ufeff", "\n\n", "  \n"])
def test_an_empty_file_is_refused(tmp_path, text):
    assert refusal(table(tmp_path, text)) == "must have at least one row of numbers, got an empty file"


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "a,b\n\n"])
def test_a_header_alone_is_refused(tmp_path, text):
    assert refusal(table(tmp_path, text)) == "must have at least one row of numbers, got only a header line"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1,2\n3,4\n5\n", "line 3 has 1 cells, expected 2 as in line 1"),
        ("1,2\n3,4,5\n", "line 2 has 3 cells, expected 2 as in line 1"),
        ("a,b,c\n1,2\n", "line 2 has 2 cells, expected 3 as in line 1"),
        ('"a\na",b\n1,2\n3\n', "line 4 has 1 cells, expected 2 as in line 1"),
    ],
)
def test_a_ragged_row_is_told_with_its_line_and_both_lengths(tmp_path, text, line):
    assert refusal(table(tmp_path, text)) == line


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1,2\n3,abc\n", "line 2, column 2 is 'abc'"),
        ("a,b\n1,2\nx,4\n", "line 3, column 1 is 'x'"),
        ("1,2\n3,1_000\n", "line 2, column 2 is '1_000'"),
        ("1,2\n3,٣\n", "line 2, column 2 is '٣'"),
        ('1,2\n3,"1,5"\n', "line 2, column 2 is '1,5'"),
        ("1;2\n3;4\n", "line 2, column 1 is '3;4'"),
        ("1 2\n3 4\n", "line 2, column 1 is '3 4'"),
        ("1,2\n0x1F,4\n", "line 2, column 1 is '0x1F'"),
        ("1,2\n3,\x00\n", r"line 2, column 2 is '\x00'"),
        ('1,2\n3,"a\nb"\n', r"line 2, column 2 is 'a\nb'"),
    ],
)
def test_a_text_cell_is_told_with_its_line_and_column(tmp_path, text, place):
    assert (
        refusal(table(tmp_path, text))
        == f"{place}, expected a number with a decimal point; commas separate the cells"
    )


def test_a_text_cell_of_a_tsv_is_told_with_its_separator(tmp_path):
    line = refusal(table(tmp_path, "1\n3,4\n", "a.tsv"))
    assert (
        line == "line 2, column 1 is '3,4', expected a number with a decimal point; tabs separate the cells"
    )


def test_a_long_text_cell_is_cut(tmp_path):
    line = refusal(table(tmp_path, "1\n" + "x" * 1000))
    assert "xxx..., expected a number" in line
    assert len(line) < 200


@pytest.mark.parametrize("text", ["1,2\n3,\n", "1,2\n3, \n", '1,2\n3,""\n'])
def test_an_empty_cell_is_told_with_its_line_and_column(tmp_path, text):
    assert refusal(table(tmp_path, text)) == "line 2, column 2 is empty, expected a number"


@pytest.mark.parametrize("text", ["1,,2\n3,4,5\n", ",,\n1,2,3\n", "a,,b\n1,2,3\n"])
def test_an_empty_cell_in_the_first_line_is_refused_and_not_taken_for_a_header(tmp_path, text):
    line = refusal(table(tmp_path, text))
    assert line.startswith("line 1, column ")
    assert "is empty, expected a number or a column name" in line


def test_a_table_with_unnamed_row_names_is_refused(tmp_path):
    line = refusal(table(tmp_path, ",a,b\n0,1.5,2.5\n"))
    assert line == (
        "line 1, column 1 is empty, expected a number or a column name "
        "(row names are not data: leave them out)"
    )


@pytest.mark.parametrize("gap", ["NA", "n/a", "NULL", "None", "?", "-"])
def test_a_first_sample_with_a_gap_is_refused_and_not_taken_for_a_header(tmp_path, gap):
    assert refusal(table(tmp_path, f"1,{gap}\n3,4\n")).startswith(
        f"line 1, column 2 is '{gap}', expected a number"
    )


@pytest.mark.parametrize("cell", ["nan", "NaN", "inf", "-Infinity", "1e400"])
@pytest.mark.parametrize("before", ["", "a,b\n", "1,2\n"])
def test_a_cell_that_is_not_finite_is_told_with_its_line_and_column(tmp_path, cell, before):
    line = 2 if before else 1
    assert refusal(table(tmp_path, f"{before}3,{cell}\n")) == (
        f"line {line}, column 2 is '{cell}', which is not finite in float64, expected a finite number"
    )


@pytest.mark.parametrize("text", ["1\n\n2\n", "1\n  \n\n2\n"])
def test_a_blank_line_before_the_last_row_is_refused(tmp_path, text):
    assert (
        refusal(table(tmp_path, text)) == "line 2 is blank, expected a row; blank lines may only end the file"
    )


@pytest.mark.parametrize("text", ['1,2\n"3,4\n', '1,2\n"3"x,4\n', "1,2\n3," + "9" * 200_000 + "\n"])
def test_malformed_text_is_told_with_its_line(tmp_path, text):
    assert refusal(table(tmp_path, text)).startswith("line 2 must be a row of cells, got malformed text: ")


@pytest.mark.parametrize(
    ("data", "byte"), [("a,b\n1,2\n".encode("utf-16"), "0xff"), ("größe\n1\n".encode("latin-1"), "0xf6")]
)
def test_bytes_that_are_not_utf8_are_refused(tmp_path, data, byte):
    assert refusal(table(tmp_path, data)) == f"must be UTF-8 text, got the byte {byte}; save it as UTF-8"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(st.binary(max_size=40), st.text('0123456789.,-+e"\n\r\tnaif \0', max_size=40).map(str.encode))
)
def test_any_bytes_give_a_finite_matrix_or_one_line(tmp_path, data):
    path = table(tmp_path, data)
    line = ""
    try:
        result = read_input(path)
    except InputError as error:
        line = str(error)
    if line:
        assert line.startswith(f"input {str(path)!r} ")
        assert len(line.splitlines()) == 1
    else:
        assert result.ndim == 2
        assert result.size > 0
        assert np.isfinite(result).all()


@pytest.mark.parametrize("first", ["1.5O,2", "x,2", "a,b,2019", "na,1,x"])
def test_a_first_line_of_numbers_and_words_is_refused_and_never_dropped(tmp_path, first):
    text = first + "\n" + ",".join("3" for _ in first.split(",")) + "\n"
    assert "beside numbers, expected numbers only (data) or names only (a header)" in refusal(
        table(tmp_path, text)
    )
