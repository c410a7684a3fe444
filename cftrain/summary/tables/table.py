"""A table as it is shown, whatever the format."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cftrain.errors import ResultError

SIGNIFICANT = 3


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What stands in one place of a table.

    Numbers are shown with `decimals` digits: `before → value ± spread* [low, high]`,
    as far as there are such. `text` is shown in place of numbers, `note` as a footnote,
    `remark` once below the table, without a mark. `lineage` tells which results the
    numbers come from, `trace` how. Raises ResultError for numbers that are not finite.
    """

    value: float | None = None
    before: float | None = None
    spread: float | None = None
    low: float | None = None
    high: float | None = None
    decimals: int = 1
    star: bool = False
    best: bool = False
    text: str | None = None
    note: str | None = None
    remark: str | None = None
    lineage: Callable[[], tuple[str, ...]] = tuple
    trace: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("value", "before", "spread", "low", "high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ResultError(f"{name}: expected a finite number, got {number}")

    def shown(self) -> str:
        """Returns the entry as text, without the mark of its footnote."""
        if self.text is not None or self.value is None:
            return self.text or ""
        before = "" if self.before is None else f"{self._number(self.before)} → "
        spread = "" if self.spread is None else f" ± {self._number(self.spread)}"
        star = "*" if self.star else ""
        interval = (
            ""
            if self.low is None or self.high is None
            else f" [{self._number(self.low)}, {self._number(self.high)}]"
        )
        return f"{before}{self._number(self.value)}{spread}{star}{interval}"

    def _number(self, number: float) -> str:
        shown = f"{number:.{self.decimals}f}"
        return shown.removeprefix("-") if float(shown) == 0 else shown


EMPTY = Entry(text="–")


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column's title, below that of its group; `key` is what one asks for it by."""

    key: str
    group: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line: its labels, other names of them, and an entry for each column."""

    labels: tuple[str, ...]
    names: tuple[str, ...]
    entries: tuple[Entry, ...]
    summary: bool = False
    """Set off by a rule."""

    def answers(self, place: int, word: str) -> bool:
        """Returns whether the label in that place, or its other name, is the word."""
        return word.lower() in (self.labels[place].lower(), self.names[place].lower())


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows by columns, with a caption that says what every number is."""

    name: str
    title: str
    caption: str
    labels: tuple[str, ...]
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def has_values(self) -> bool:
        return any(entry.value is not None for entry in self._entries())

    def footnotes(self) -> dict[str, str]:
        """Returns the marks of all footnotes by their texts, in order of appearance."""
        notes = [entry.note for entry in self._entries() if entry.note is not None]
        return {note: _mark(place) for place, note in enumerate(dict.fromkeys(notes))}

    def below(self) -> tuple[str, ...]:
        """Returns what is said below the footnotes: the table's own notes and remarks
        of entries, each once, with the rows and columns that it is about.
        """
        places: dict[str, list[tuple[int, int]]] = {}
        for line, row in enumerate(self.rows):
            for column, entry in enumerate(row.entries):
                if entry.remark is not None:
                    places.setdefault(entry.remark, []).append((line, column))
        remarks = [f"{self._where(where)}: {text}" for text, where in places.items()]
        return (*remarks, *self.notes)

    def _where(self, places: Sequence[tuple[int, int]]) -> str:
        """Returns the first labels of some rows, and their columns if not all."""
        lines = dict.fromkeys(self.rows[line].labels[0] for line, _ in places)
        columns = sorted({column for _, column in places})
        titles = dict.fromkeys(
            f"{self.heads[column].group} {self.heads[column].title}".strip()
            for column in columns
        )
        about = "" if len(columns) == len(self.heads) else f" ({', '.join(titles)})"
        return ", ".join(lines) + about

    def groups(self) -> list[tuple[str, int]]:
        """Returns the groups from left to right: each one's title and how many columns
        stand below it.
        """
        found: list[tuple[str, int]] = []
        for head in self.heads:
            if found and found[-1][0] == head.group:
                found[-1] = (head.group, found[-1][1] + 1)
            else:
                found.append((head.group, 1))
        return found

    def new_group(self, place: int) -> bool:
        """Returns whether a rule stands above a row: where summaries begin or end, and
        where the first of several labels changes.
        """
        if place == 0:
            return False
        row, above = self.rows[place], self.rows[place - 1]
        if row.summary or above.summary:
            return row.summary != above.summary
        return len(self.labels) > 1 and row.labels[0] != above.labels[0]

    def find(self, words: Sequence[str]) -> tuple[Row, Head, Entry]:
        """Returns the row of some labels or names, the column of a key, given last,
        and the entry where they meet. Raises ResultError if one is unknown.
        """
        expected = " ".join([*(label.upper() for label in self.labels), "COLUMN"])
        if len(words) != len(self.labels) + 1:
            raise ResultError(
                f"{self.name}: expected {expected}, got {' '.join(words) or 'nothing'}"
            )
        rows = list(self.rows)
        for place, word in enumerate(words[:-1]):
            known = dict.fromkeys(row.labels[place] for row in rows)
            rows = [row for row in rows if row.answers(place, word)]
            if not rows:
                raise ResultError(
                    f"{self.name}: expected {self.labels[place]} to be one of "
                    f"{', '.join(known)}; got {word!r}"
                )
        keys = [head.key.lower() for head in self.heads]
        if words[-1].lower() not in keys:
            raise ResultError(
                f"{self.name}: expected the column to be one of {', '.join(keys)}; got "
                f"{words[-1]!r}"
            )
        column = keys.index(words[-1].lower())
        return rows[0], self.heads[column], rows[0].entries[column]

    def _entries(self) -> Iterator[Entry]:
        for row in self.rows:
            yield from row.entries


def decimals_for(*numbers: float | None) -> int:
    """Returns how many digits behind the point show three significant digits of the
    largest of some numbers.
    """
    sizes = [abs(number) for number in numbers if number]
    if not sizes:
        return SIGNIFICANT - 1
    return max(0, SIGNIFICANT - 1 - math.floor(math.log10(max(sizes))))


def _mark(place: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    more, last = divmod(place, 26)
    return (_mark(more - 1) if more else "") + chr(ord("a") + last)
