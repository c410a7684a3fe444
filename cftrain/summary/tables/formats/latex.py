"""A table in LaTeX: booktabs rules, siunitx numbers, broken over pages if need be."""

import re

from cftrain.summary.tables.table import Entry, Row, Table

PREAMBLE = r"""% Needs in the preamble:
%   \usepackage{booktabs, longtable, siunitx}
% and, for wide tables, a landscape page.
"""

SPECIALS = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
    "–": "--",
    "−": "$-$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "²": r"\textsuperscript{2}",
    "λ": r"$\lambda$",
    "τ": r"$\tau$",
    "ε": r"$\varepsilon$",
    "ℓ": r"$\ell$",
    "·": r"$\cdot$",
    "*": r"\textsuperscript{*}",
}

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
"""Whole numbers in a text, those with an exponent as well: siunitx reads 1e-08."""


def latex(table: Table) -> str:
    """Returns a longtable; see `PREAMBLE` for what the document needs."""
    marks = table.footnotes()
    width = len(table.labels) + len(table.heads)
    columns = "l" * len(table.labels) + "r" * len(table.heads)
    head = [_groups(table), _rules(table), _titles(table), r"\midrule"]
    notes = [f"({mark}) {note}" for note, mark in marks.items()]
    body = []
    for place, row in enumerate(table.rows):
        if table.new_group(place):
            body.append(r"\midrule")
        body.append(_row(row, marks))
    lines = [
        r"\begingroup\footnotesize\setlength{\tabcolsep}{4pt}",
        r"\setlength{\LTcapwidth}{\linewidth}\sisetup{group-minimum-digits=9}",
        rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
        rf"\caption{{{escaped(table.title)}. {escaped(table.caption)}}}"
        rf"\label{{tab:{table.name}}}\\",
        r"\toprule",
        *(line for line in head if line),
        r"\endfirsthead",
        r"\toprule",
        *(line for line in head if line),
        r"\endhead",
        rf"\bottomrule\multicolumn{{{width}}}{{r@{{}}}}{{continued}}\\\endfoot",
        r"\bottomrule\endlastfoot",
        *body,
        r"\end{longtable}",
        *(rf"\noindent {escaped(note)}\par" for note in (*notes, *table.below())),
        r"\endgroup",
    ]
    return PREAMBLE + "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Returns a text such that LaTeX shows it as it is, symbols included."""
    line = " ".join(text.splitlines())  # a blank line would end a paragraph
    return "".join(SPECIALS.get(character, character) for character in line)


def _groups(table: Table) -> str:
    groups = table.groups()
    if not any(title for title, _ in groups):
        return ""
    spans = [rf"\multicolumn{{{n}}}{{c}}{{{escaped(title)}}}" for title, n in groups]
    return " & ".join(["" for _ in table.labels] + spans) + r" \\"


def _rules(table: Table) -> str:
    """A short rule below the title of every group."""
    start = len(table.labels) + 1
    rules = []
    for title, number in table.groups():
        if title:
            rules.append(rf"\cmidrule(lr){{{start}-{start + number - 1}}}")
        start += number
    return "".join(rules)


def _titles(table: Table) -> str:
    titles = [rf"\multicolumn{{1}}{{c}}{{{escaped(h.title)}}}" for h in table.heads]
    return " & ".join([*map(escaped, table.labels), *titles]) + r" \\"


def _row(row: Row, marks: dict[str, str]) -> str:
    entries = [_entry(entry, marks) for entry in row.entries]
    return " & ".join([*map(escaped, row.labels), *entries]) + r" \\"


def _entry(entry: Entry, marks: dict[str, str]) -> str:
    """Numbers become siunitx's; what is between them is escaped."""
    shown = entry.shown()
    pieces, end = [], 0
    for found in NUMBER.finditer(shown):
        pieces += [escaped(shown[end : found.start()]), rf"\num{{{found.group()}}}"]
        end = found.end()
    text = "".join([*pieces, escaped(shown[end:])])
    if entry.best:
        text = rf"{{\bfseries\sisetup{{detect-all}}{text}}}"
    if entry.note is not None:
        text += rf"\textsuperscript{{{marks[entry.note]}}}"
    # A row that starts with a bracket would be taken for the length of the line break.
    return f"{{{text}}}" if text.startswith("[") else text
