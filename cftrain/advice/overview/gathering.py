"""Advice that comes row by row, gathered in bounded memory."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from cftrain.advice.advice import Advice
from cftrain.advice.answer import Answer, Change
from cftrain.advice.cutoff import Cutoff
from cftrain.advice.overview.grouping import Grouping
from cftrain.advice.overview.means import RunningMean
from cftrain.advice.overview.overview import (
    FEW_ROWS,
    Burden,
    ColumnChange,
    Move,
    Overview,
    Spread,
)
from cftrain.advice.overview.sample import Sample

MOST_MOVES = 5
QUARTILES = (0.25, 0.5, 0.75)


@dataclass
class _Column:
    """Changes of one column."""

    count: int = 0
    increases: int = 0
    amounts: Sample[float] = field(default_factory=Sample)
    moves: Counter[tuple[object, object]] = field(default_factory=Counter)

    def add(self, change: Change) -> None:
        self.count += 1
        if change.by is None:
            self.moves[change.before, change.after] += 1
        else:
            self.increases += change.by > 0
            self.amounts.add(change.by)

    def told(self, name: str, answered: int) -> ColumnChange:
        known = self.amounts.seen
        return ColumnChange(
            column=name,
            count=self.count,
            share=self.count / answered,
            up=self.increases / known if known else None,
            amount=_spread(self.amounts.kept),
            missing=1 - known / self.count if known else 0.0,
            moves=tuple(
                Move(before=before, after=after, share=count / self.count)
                for (before, after), count in self.moves.most_common(MOST_MOVES)
            ),
        )


@dataclass
class _Group:
    """Rows of one group; `share` is the mean of 1 for those with an answer."""

    rows: int = 0
    share: RunningMean = field(default_factory=RunningMean)
    cost: RunningMean = field(default_factory=RunningMean)
    farther_than: RunningMean = field(default_factory=RunningMean)

    def add(self, advice: Advice) -> None:
        self.rows += 1
        if advice.decision == advice.target:
            return
        self.share.add(float(bool(advice.answers)))
        for answer in advice.answers[:1]:
            self.cost.add(answer.cost)
            if answer.farther_than is not None:
                self.farther_than.add(answer.farther_than)

    def burden(self, name: str) -> Burden:
        needed = self.share.sample.seen
        return Burden(
            group=name,
            rows=self.rows,
            needed=needed,
            answered=self.cost.sample.seen,
            share=self.share.interval(),
            cost=self.cost.interval(),
            farther_than=self.farther_than.interval(),
            few=needed < FEW_ROWS,
        )


@dataclass
class Gathering:
    """What was told so far: of each row, its first answer."""

    grouping: Grouping | None
    cutoff: Cutoff | None = None
    _decisions: Counter[str] = field(default_factory=Counter)
    _targets: set[str] = field(default_factory=set)
    _needed: int = 0
    _firm: int = 0
    _further: int = 0
    _answers: Sample[Answer] = field(default_factory=Sample)
    _columns: dict[str, _Column] = field(default_factory=lambda: defaultdict(_Column))
    _groups: dict[str, _Group] = field(default_factory=lambda: defaultdict(_Group))

    def add(self, advice: Advice) -> None:
        """Takes in a row."""
        self._decisions[advice.decision] += 1
        self._targets.add(advice.target)
        self._needed += advice.decision != advice.target
        if self.grouping is not None and advice.group is not None:
            self._groups[advice.group].add(advice)
            self.grouping.check(len(self._groups))
        self._further += len(advice.answers[1:])
        for answer in advice.answers[:1]:
            self._firm += answer.firm
            self._answers.add(answer)
            for change in answer.changes:
                self._columns[change.column].add(change)

    def passed(self, advice: Iterable[Advice]) -> Iterator[Advice]:
        """Yields the same advice, taken in."""
        for each in advice:
            self.add(each)
            yield each

    def overview(self) -> Overview:
        """Returns what it comes to, the columns that change most often first."""
        answers = self._answers.kept
        others = [a.other_models for a in answers if a.other_models is not None]
        farther = [a.farther_than for a in answers if a.farther_than is not None]
        order = [] if self.grouping is None else self.grouping.order(self._groups)
        changed = [
            column.told(name, self._answers.seen)
            for name, column in self._columns.items()
        ]
        return Overview(
            rows=self._decisions.total(),
            decisions=dict(self._decisions.most_common()),
            targets=tuple(sorted(self._targets)),
            needed=self._needed,
            answered=self._answers.seen,
            firm=self._firm,
            further=self._further,
            sampled=len(answers),
            cost=_spread([answer.cost for answer in answers]),
            farther_than=_spread(farther),
            under_noise=_spread([answer.under_noise for answer in answers]),
            other_models=_spread(others),
            columns=tuple(sorted(changed, key=lambda column: -column.count)),
            grouped_by=None if self.grouping is None else self.grouping.column,
            groups=tuple(self._groups[name].burden(name) for name in order),
            cutoff=self.cutoff,
        )


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    low, median, high = np.quantile(values, QUARTILES).tolist()
    return Spread(low=low, median=median, high=high)
