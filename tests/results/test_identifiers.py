import pyarrow as pa
import pytest

from cftrain.errors import ResultError
from cftrain.results.identifiers import check_columns, is_id, is_name


@pytest.mark.parametrize("text", ["5e10836f5caf0496", "c", "cell-1", "a_b"])
def test_ids_are_letters_and_digits(text):
    assert is_id(text)


@pytest.mark.parametrize(
    "text", ["", "../x", "/x", "a/b", ".x", "-x", "a b", "a\n", "x" * 121, "é", None, 7]
)
def test_what_could_lead_elsewhere_is_no_id(text):
    assert not is_id(text)


@pytest.mark.parametrize(
    "text", ["moons", "my data 2", "Größe", "tune-moons", "a=1,b=2", "ip_star"]
)
def test_names_are_words(text):
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["", "../x", "a/b", ".x", "a\\b", "$x$", "<b>", "a\n", "a\x1b", "x" * 121]
)
def test_what_could_be_more_than_a_word_is_no_name(text):
    assert not is_name(text)


def test_a_table_is_refused_by_its_first_bad_column(tmp_path):
    rows = pa.table({"cell": ["a", "b"], "data": ["moons", "../moons"]})
    with pytest.raises(ResultError) as caught:
        check_columns(tmp_path, rows)
    assert str(caught.value) == (
        f"{tmp_path}: column data: expected a name of letters, digits and plain signs, "
        "got '../moons'"
    )


def test_a_row_without_an_id_is_refused(tmp_path):
    with pytest.raises(ResultError, match="column cell: expected a value in every row"):
        check_columns(tmp_path, pa.table({"cell": ["a", None]}))


def test_other_columns_hold_what_they_like(tmp_path):
    check_columns(tmp_path, pa.table({"reason": ["../x", None]}))
