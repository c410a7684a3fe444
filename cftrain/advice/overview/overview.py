"""What the advice for many rows comes to."""

from dataclasses import dataclass
from typing import Any

from cftrain.advice.cutoff import Cutoff
from cftrain.summary.statistics.intervals import Interval

FEW_ROWS = 30
"""A group with fewer rows that need an answer says little about people like these."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The median and the quartiles."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Move:
    """A level that becomes another one, in which share of the column's changes."""

    before: Any
    after: Any
    share: float


@dataclass(frozen=True, kw_only=True)
class ColumnChange:
    """How often answers change a column, and how: `share` is that of all answers.

    Numbers have `up`, the share of increases, and `amount`, the change with its sign in
    raw units; both are of the changes that do not begin at a `missing` value, of which
    that is the share. Levels have their most frequent moves.
    """

    column: str
    count: int
    share: float
    up: float | None
    amount: Spread | None
    missing: float
    moves: tuple[Move, ...]


@dataclass(frozen=True, kw_only=True)
class Burden:
    """What is asked of a group: the share of those who need an answer that have one,
    and the mean cost and plausibility of these, with 95 % intervals (None below two).

    `few` warns of small groups.
    """

    group: str
    rows: int
    needed: int
    answered: int
    share: Interval | None
    cost: Interval | None
    farther_than: Interval | None
    few: bool


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Counts of rows, what speaks for their first answers, and what these change.

    Every counted answer is valid as told: rounded, encoded again and judged. So the
    share of `needed` rows that are `answered` is validity as told. Medians are those
    of `sampled` answers, a random choice if it is less than all. `further` answers of
    the same rows are not counted.
    """

    rows: int
    decisions: dict[str, int]
    targets: tuple[str, ...]
    needed: int
    answered: int
    firm: int
    further: int
    sampled: int
    cost: Spread | None
    farther_than: Spread | None
    under_noise: Spread | None
    other_models: Spread | None
    columns: tuple[ColumnChange, ...]
    grouped_by: str | None
    groups: tuple[Burden, ...]
    cutoff: Cutoff | None = None

    @property
    def there(self) -> int:
        """Returns how many rows are already decided as wanted."""
        return self.rows - self.needed
