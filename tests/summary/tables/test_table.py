import pytest

from cftrain.errors import ResultError
from cftrain.summary.tables.table import Entry, Head, Row, Table, decimals_for


def line(*labels: str, entries: tuple[Entry, ...], summary: bool = False) -> Row:
    return Row(labels=labels, names=labels, entries=entries, summary=summary)


def table(*rows: Row, labels: tuple[str, ...] = ("data",), columns: int = 1) -> Table:
    heads = [
        Head(key=f"c{n}", group="g" if n else "", title="t") for n in range(columns)
    ]
    return Table(
        name="some",
        title="Some table",
        caption="Of numbers.",
        labels=labels,
        heads=tuple(heads),
        rows=rows,
    )


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        (Entry(value=1.25, decimals=2), "1.25"),
        (Entry(value=-12.34, spread=0.56, star=True), "-12.3 ± 0.6*"),
        (Entry(value=1, low=-2, high=3), "1.0 [-2.0, 3.0]"),
        (Entry(value=0.5, before=1, decimals=2), "1.00 → 0.50"),
        (Entry(value=-0.01), "0.0"),
        (Entry(value=33, text="33/45"), "33/45"),
        (Entry(text="no baseline"), "no baseline"),
        (Entry(), ""),
    ],
)
def test_an_entry_shows_the_numbers_it_has(entry, shown):
    assert entry.shown() == shown


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["value", "before", "spread", "low", "high"])
def test_what_is_no_number_never_gets_into_a_table(name, number):
    with pytest.raises(ResultError, match=f"{name}: expected a finite number"):
        Entry(**{name: number})


@pytest.mark.parametrize(
    ("numbers", "decimals"),
    [((123.4,), 0), ((12.3,), 1), ((0.00123,), 5), ((1.0, 0.2), 2), ((0, None), 2)],
)
def test_three_digits_of_the_largest_number_are_significant(numbers, decimals):
    assert decimals_for(*numbers) == decimals


def test_equal_footnotes_share_a_mark():
    notes = ["few", "none", "few", None]
    entries = tuple(Entry(text="-", note=note) for note in notes)
    assert table(line("a", entries=entries), columns=4).footnotes() == {
        "few": "a",
        "none": "b",
    }


def test_equal_remarks_are_said_once_with_their_rows_and_columns():
    about, both = Entry(value=1, remark="about"), Entry(value=1, remark="both")
    rows = [
        line("a", entries=(about, both, about)),
        line("b", entries=(Entry(value=1), both, about)),
        line("c", entries=(Entry(value=1), Entry(value=1), Entry(value=1))),
    ]
    assert table(*rows, columns=3).below() == (
        "a, b (t, g t): about",
        "a, b (g t): both",
    )
    everywhere = line("a", entries=(about,))
    assert table(everywhere).below() == ("a: about",)


def test_there_are_marks_for_any_number_of_footnotes():
    entries = tuple(Entry(text="-", note=str(number)) for number in range(28))
    marks = list(table(line("a", entries=entries), columns=28).footnotes().values())
    assert marks[:2] + marks[25:] == ["a", "b", "z", "aa", "ab"]


def test_groups_of_neighbouring_columns():
    assert table(columns=3).groups() == [("", 1), ("g", 2)]


def test_rules_stand_between_blocks_and_above_summaries():
    one = (Entry(),)
    found = table(
        line("a", "x", entries=one),
        line("a", "y", entries=one),
        line("b", "x", entries=one),
        line("mean", "", entries=one, summary=True),
        line("sd", "", entries=one, summary=True),
        labels=("data", "measure"),
    )
    rules = [found.new_group(place) for place in range(5)]
    assert rules == [False, False, True, True, False]


def test_entries_are_found_by_label_or_name():
    row = Row(labels=("LS",), names=("linearly_separable",), entries=(Entry(value=1),))
    for word in ("LS", "ls", "linearly_separable"):
        assert table(row).find([word, "C0"])[2].value == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["OL", "c0"], "some: expected data to be one of LS; got 'OL'"),
        (["LS", "c9"], "some: expected the column to be one of c0; got 'c9'"),
        (["LS"], "some: expected DATA COLUMN, got LS"),
        ([], "some: expected DATA COLUMN, got nothing"),
    ],
)
def test_what_is_not_there_is_not_found(words, message):
    with pytest.raises(ResultError) as raised:
        table(line("LS", entries=(Entry(value=1),))).find(words)
    assert str(raised.value) == message


def test_marks_alone_are_no_values():
    assert not table(line("a", entries=(Entry(text="failed"),))).has_values
    assert table(line("a", entries=(Entry(value=0),))).has_values
