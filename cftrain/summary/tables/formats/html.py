"""A table in HTML."""

import base64
import hashlib
from html import escape

from cftrain.summary.tables.table import Entry, Row, Table

STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --soft: #5a5f66; --line: #999;
        --page: #fff; --shadow: #0004; --link: #0645ad; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ec; --soft: #9aa4ae; --line: #59636e; --page: #14171a;
          --shadow: #fff4; --link: #8ab4f8; }
}
body { font: 16px/1.5 Georgia, serif; color: var(--text); background: var(--page);
       max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
a { color: var(--link); }
h1, h2, nav, table { font-family: system-ui, sans-serif; }
h1, h2 { line-height: 1.25; overflow-wrap: break-word; }
h2 { margin-top: 3rem; }
.origin { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem;
          font: 0.85rem/1.5 system-ui, sans-serif; }
.origin dt { color: var(--soft); }
.origin dd { margin: 0; overflow-wrap: anywhere; }
nav ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr));
         gap: 0.2rem 2rem; padding-left: 1.2rem; }
nav li { overflow-wrap: anywhere; }
/* Shadows at the sides to which a table scrolls: covers move with it, shadows stay. */
.wide { overflow-x: auto; background:
  linear-gradient(90deg, var(--page) 30%, transparent) left / 3rem 100% no-repeat local,
  linear-gradient(270deg, var(--page) 30%, transparent) right / 3rem 100% no-repeat
  local,
  linear-gradient(90deg, var(--shadow), transparent) left / 1rem 100% no-repeat scroll,
  linear-gradient(270deg, var(--shadow), transparent) right / 1rem 100% no-repeat
  scroll; }
.hint { color: var(--soft); font: 0.8rem system-ui, sans-serif;
        margin: 0; }
.wide-hint, .narrow-hint { display: none; }
@media (max-width: 40rem) { .narrow-hint { display: block; }
  body { margin: 1rem auto; } .origin { grid-template-columns: 1fr; }
  .origin dd { margin-bottom: 0.4rem; } }
@media (max-width: 76rem) { .wide-hint { display: block; } }
pre { overflow-x: auto; font-size: 0.8rem; line-height: 1.4; white-space: pre-wrap; }
table { border-collapse: collapse; font-size: 0.85rem; border-bottom: 2px solid;
        font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; text-align: right; white-space: nowrap; }
.label { text-align: left; }
thead tr:first-child th { border-top: 2px solid; }
thead tr:last-child th { border-bottom: 1px solid; }
th.group { text-align: center; }
tr.rule td, tr.rule th { border-top: 1px solid var(--line); }
tbody th { font-weight: normal; }
.notes { font-size: 0.85rem; }
.notes p { margin: 0.2rem 0; }
figure { margin: 0; }
figcaption { font-size: 0.85rem; }
/* Figures are drawn on white. */
img { max-width: 100%; background: #fff; border-radius: 4px; }
@media print {
  :root { color-scheme: light; --text: #000; --soft: #444; --page: #fff; }
  body { font-size: 10pt; max-width: none; margin: 0; }
  section, h2 { break-inside: avoid; }
  h2 { break-after: avoid; }
  .wide { overflow: visible; background: none; }
  .hint { display: none; }
  table { font-size: 7pt; }
  th, td { padding: 0.1rem 0.3rem; white-space: normal; }
  tr, figure { break-inside: avoid; }
}
"""

LABEL_SIGNS, SPACE_SIGNS = 8, 2.5
"""Of a column of labels, and around each column."""

FITTING = {"hint": 155.0, "hint wide-hint": 80.0, "hint narrow-hint": 45.0}
"""More signs, roughly, do not fit on any screen, a narrow one, and a phone."""


def html(table: Table) -> str:
    """Returns the table as a page of its own."""
    return html_page(table.title, html_part(table))


def html_page(title: str, body: str, *, style: str = STYLE) -> str:
    """Returns a whole page that needs no other file, and would be given none: what is
    not in it, and any script, is refused by its own policy.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def html_part(table: Table) -> str:
    """Returns the table below its title, as part of a page."""
    marks = table.footnotes()
    rows = "\n".join(
        _row(row, marks, rule=table.new_group(place))
        for place, row in enumerate(table.rows)
    )
    notes = [f"<sup>{mark}</sup> {escape(note)}" for note, mark in marks.items()]
    below = [f"<p>{note}</p>" for note in (*notes, *map(escape, table.below()))]
    return (
        f"<h2>{escape(table.title)}</h2>\n<p>{escape(table.caption)}</p>\n"
        f"{_hint(table)}"
        f'<div class="wide"><table>\n<thead>\n{_head(table)}\n</thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div>\n"
        f'<div class="notes">\n{chr(10).join(below)}\n</div>'
    )


def _hint(table: Table) -> str:
    """What is said above a table where its screen is too narrow for it."""
    columns = [
        max([len(head.title), *(len(row.entries[place].shown()) for row in table.rows)])
        for place, head in enumerate(table.heads)
    ]
    signs = sum(columns) + SPACE_SIGNS * len(columns)
    signs += (LABEL_SIGNS + SPACE_SIGNS) * len(table.labels)
    for kind, most in FITTING.items():
        if signs > most:
            return f'<p class="{kind}">The table scrolls to the side. →</p>\n'
    return ""


def _head(table: Table) -> str:
    groups = "".join(
        f'<th class="group" colspan="{number}">{escape(title)}</th>'
        for title, number in table.groups()
    )
    blank = "<th></th>" * len(table.labels)
    labels = "".join(f'<th class="label">{escape(name)}</th>' for name in table.labels)
    titles = "".join(f"<th>{escape(head.title)}</th>" for head in table.heads)
    return f"<tr>{blank}{groups}</tr>\n<tr>{labels}{titles}</tr>"


def _row(row: Row, marks: dict[str, str], *, rule: bool) -> str:
    labels = "".join(f'<th class="label">{escape(label)}</th>' for label in row.labels)
    entries = "".join(f"<td>{_entry(entry, marks)}</td>" for entry in row.entries)
    start = '<tr class="rule">' if rule else "<tr>"
    return f"{start}{labels}{entries}</tr>"


def _entry(entry: Entry, marks: dict[str, str]) -> str:
    text = escape(entry.shown())
    if entry.best:
        text = f"<b>{text}</b>"
    return text if entry.note is None else f"{text}<sup>{marks[entry.note]}</sup>"
