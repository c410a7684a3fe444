"""One table in every format: nothing is lost, and nothing breaks the format."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from cftrain.summary.tables.formats.csv import comma_separated
from cftrain.summary.tables.formats.html import html
from cftrain.summary.tables.formats.latex import PREAMBLE, escaped, latex
from cftrain.summary.tables.formats.markdown import markdown
from cftrain.summary.tables.table import Entry, Head, Row, Table

AWKWARD = "a|b & <i> 50 % #1_x {y} $z ~ ^ \\"

TABLE = Table(
    name="some_table",
    title="Some & <table>",
    caption=f"Caption {AWKWARD}",
    labels=("data", "τ"),
    heads=(
        Head(key="ip", group="|IP|", title="first (%)"),
        Head(key="seeds", group="|IP|", title="seeds"),
        Head(key="text", group="", title="text"),
    ),
    rows=(
        Row(
            labels=("LS", "0.5"),
            names=("linearly_separable", "0.5"),
            entries=(
                Entry(value=-1 / 3, spread=0.25, star=True, best=True),
                Entry(value=2, low=1, high=3, note="few & far"),
                Entry(text=AWKWARD),
            ),
        ),
        Row(
            labels=("Avg.", ""),
            names=("average", ""),
            entries=(Entry(value=12.5), Entry(value=0.5, before=1), Entry(text="–")),
            summary=True,
        ),
    ),
    notes=("A note <b>.",),
)


class Cells(HTMLParser):
    """Texts of the cells of all tables in a page, and all tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.tags: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "tr":
            self.lines.append([])
        if tag in ("td", "th"):
            self.lines[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.lines[-1][-1] += data


def test_markdown_is_aligned():
    lines = [line for line in markdown(TABLE).splitlines() if line.startswith("|")]
    bars = [
        [place for place, c in enumerate(line) if c == "|" and line[place - 1] != "\\"]
        for line in lines
    ]
    assert len(lines) == 4
    assert all(places == bars[0] for places in bars)
    assert lines[0].startswith("| data | τ   | ")


def test_markdown_shows_marks_and_notes():
    text = markdown(TABLE)
    for shown in ("**-0.3 ± 0.2***", "2.0 [1.0, 3.0] (a)", "(a) few & far", "A note"):
        assert shown in text


def test_csv_parses_back_in_full_precision():
    rows = list(csv.DictReader(io.StringIO(comma_separated(TABLE))))
    assert len(rows) == 6
    first = rows[0]
    assert (first["data"], first["column"]) == ("LS", "ip")
    assert float(first["value"]) == -1 / 3
    assert (first["star"], first["best"], first["low"]) == ("1", "1", "")
    assert rows[2]["shown"] == AWKWARD
    assert rows[4]["before"] == "1"
    assert rows[1]["note"] == "few & far"


def test_latex_has_a_column_for_each_cell():
    lines = [line for line in latex(TABLE).splitlines() if line.endswith(r" \\")]
    for line in lines:
        cells = line.replace(r"\&", "").count("&") + 1
        assert cells + line.count(r"\multicolumn{2}") == 5
    assert len(lines) == 2 * 2 + 2


def test_latex_numbers_are_those_of_siunitx():
    text = latex(TABLE)
    best = (
        r"{\bfseries\sisetup{detect-all}\num{-0.3} $\pm$ \num{0.2}\textsuperscript{*}}"
    )
    assert best in text
    assert r"\num{1.0} $\rightarrow$ \num{0.5}" in text
    assert r"\num{2.0} [\num{1.0}, \num{3.0}]\textsuperscript{a}" in text
    assert text.startswith("% Needs in the preamble:")


@pytest.mark.parametrize("number", ["1e-08", "-2.5e+10", "3", "0.25", "-7.0"])
def test_latex_hands_siunitx_whole_numbers(number):
    row = Row(labels=("a",), names=("a",), entries=(Entry(text=f"[{number}, x1]"),))
    table = replace(TABLE, labels=("l",), heads=TABLE.heads[:1], rows=(row,))
    assert rf"[\num{{{number}}}, x1]" in latex(table)


def test_latex_specials_are_escaped():
    assert escaped(AWKWARD) == (
        r"a\textbar{}b \& \textless{}i\textgreater{} 50 \% \#1\_x \{y\} \$z "
        r"\textasciitilde{} \textasciicircum{} \textbackslash{}"
    )


def test_html_cells_are_those_of_the_table():
    found = Cells(html(TABLE))
    assert found.lines[2:] == [
        ["LS", "0.5", "-0.3 ± 0.2*", "2.0 [1.0, 3.0]a", AWKWARD],
        ["Avg.", "", "12.5", "1.0 → 0.5", "–"],
    ]
    assert "i" not in found.tags
    assert found.tags.count("table") == 1


def test_texts_are_no_markup_in_any_format():
    evil = "<script>x</script>\n\n\\input{y} <img src=z>"
    row = Row(
        labels=(evil, ""), names=("a", ""), entries=(Entry(text=evil, note=evil),)
    )
    table = replace(
        TABLE,
        title=evil,
        caption=evil,
        heads=TABLE.heads[:1],
        rows=(row,),
        notes=(evil,),
    )
    assert not {"script", "img"} & set(Cells(html(table)).tags)
    assert re.search(r"(?<!\\)<[a-z/]", markdown(table)) is None
    text = latex(table).removeprefix(PREAMBLE)
    assert "\\input" not in text
    assert "\n\n" not in text


@pytest.mark.parametrize(
    ("signs", "kind"),
    [(1, None), (20, "hint narrow-hint"), (40, "hint wide-hint"), (80, "hint")],
)
def test_a_table_that_scrolls_says_so_where_it_does(signs, kind):
    """By how wide its columns are, and what fits on a phone, a screen, or any."""
    heads = tuple(Head(key=key, group="", title="m" * signs) for key in "ab")
    rows = tuple(replace(row, entries=row.entries[-1:] * 2) for row in TABLE.rows[1:])
    page = html(replace(TABLE, heads=heads, rows=rows))
    body = page.partition("</style>")[2]
    assert re.findall(r'<p class="([^"]*hint[^"]*)">', body) == ([kind] if kind else [])


def test_a_page_has_a_style_by_night_and_by_day():
    """Colours that change with it are named, none is left in a rule."""
    style, _, _ = html(TABLE).partition("</style>")
    _, _, rules = style.partition("body {")
    assert "prefers-color-scheme: dark" in style
    screen, _, _ = rules.partition("@media print")
    named = re.findall(r"(?:color|background): (?!var)([^;}]+)", screen)
    assert [each for each in named if "var(--" not in each] == ["#fff"]
