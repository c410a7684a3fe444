"""What a column of a table shows of some trained models, and what it looks at."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Generic, Literal, TypeVar

import pandas as pd

from cftrain.summary.reading.reader import Evidence, Trial
from cftrain.summary.statistics.intervals import INTERVALS, by_round, paired
from cftrain.summary.tables.table import Entry, decimals_for

Side = Literal["model", "baseline"]
IntervalName = Literal["t", "bootstrap"]
T = TypeVar("T")

ENOUGH_SEEDS = 5


class Unanswered(Exception):
    """There is no number: a mark to show instead, and what it means."""

    def __init__(self, mark: str, note: str | None = None) -> None:
        super().__init__(mark)
        self.mark = mark
        self.note = note


class NoRatio(Unanswered):
    """A measure's baseline is not positive: unbiased estimates may be negative."""

    def __init__(self) -> None:
        super().__init__("BL ≤ 0", "the baseline is not positive: no ratio to it")


@dataclass(frozen=True, kw_only=True)
class Answers(Generic[T]):
    """One answer for each training seed that has one, and what is missing."""

    seeds: tuple[int, ...]
    values: tuple[T, ...]
    missing: str | None

    def of(self, numbers: Sequence[float]) -> str:
        """Numbers listed by seed."""
        return ", ".join(
            f"{number:.6g} (seed {seed})"
            for seed, number in zip(self.seeds, numbers, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measure of models that differ in their training seed only."""

    evidence: Evidence
    trials: tuple[Trial, ...]
    metric: str | None
    epsilon: float | None

    def cell(self, trial: Trial, side: Side) -> str:
        """The id of a finished cell. Raises Unanswered."""
        cell = trial.model if side == "model" else trial.baseline
        if cell is None:
            raise Unanswered("no baseline", "no baseline was trained")
        row = self.evidence.cell(cell)
        if row["status"] != "done":
            raise Unanswered("failed", f"{cell} failed: {row['reason']}")
        return cell

    def rows(self, cell: str, metric: str | None = None) -> pd.DataFrame:
        """Rows of the measure, or of another one. Raises Unanswered if there are none.

        Those of other strengths of an attack are left out.
        """
        rows = self.evidence.rows("metrics", cell)
        rows = rows[rows["metric"] == (metric or self.metric)]
        if self.epsilon is not None:
            rows = rows[rows["epsilon"] == self.epsilon]
        if rows.empty:
            raise Unanswered("–")
        return rows

    def by_round(self, trial: Trial, side: Side) -> pd.Series:
        """Values of the rounds that have one. Raises Unanswered."""
        cell = self.cell(trial, side)
        rounds = by_round(self.rows(cell)).dropna()
        if rounds.empty:
            raise Unanswered("no valid", f"nothing to average in any round of {cell}")
        return rounds

    def rounds(self, trial: Trial) -> pd.DataFrame:
        """The rounds in which both models have a value. Raises Unanswered."""
        model = self.by_round(trial, "model")
        rounds = paired(model, self.by_round(trial, "baseline"))
        if rounds.empty:
            raise Unanswered("no valid", "no round has a value of both models")
        return rounds

    def answers(self, ask: Callable[[Trial], T]) -> Answers[T]:
        """The answer of each training seed that has one. Raises Unanswered if none."""
        seeds, values, gaps = [], [], []
        for trial in self.trials:
            try:
                values.append(ask(trial))
                seeds.append(trial.seed)
            except Unanswered as gap:
                gaps.append(gap)
        if not values:
            raise gaps[0]
        marks = " and ".join(sorted({gap.mark for gap in gaps}))
        missing = f"without {len(gaps)} of {len(self.trials)} seeds: {marks}"
        return Answers(
            seeds=tuple(seeds), values=tuple(values), missing=missing if gaps else None
        )


class Quantity(ABC):
    """One number of a sample, with what belongs to it."""

    table: ClassVar[str] = "metrics"
    """The table of results that it is made of."""

    @abstractmethod
    def entry(self, sample: Sample) -> Entry:
        """Raises Unanswered."""


def seeds_note(count: int, missing: str | None) -> str | None:
    """The footnote of a mean over seeds."""
    seeds = "seed" if count == 1 else "seeds"
    few = f"n={count} training {seeds}" if count < ENOUGH_SEEDS else None
    return "; ".join(part for part in (few, missing) if part is not None) or None


def over_seeds(
    answers: Answers[float],
    interval: IntervalName,
    *,
    decimals: int | None = None,
    within: tuple[float, float] = (-inf, inf),
) -> Entry:
    """Mean over seeds and its interval, cut to what is possible; of one seed, its value
    alone.

    Shown to three significant digits if no decimals are given.
    """
    values = answers.values
    found = INTERVALS[interval](values) if len(values) > 1 else None
    value = found.centre if found else values[0]
    return Entry(
        value=value,
        low=max(found.low, within[0]) if found else None,
        high=min(found.high, within[1]) if found else None,
        decimals=decimals_for(value) if decimals is None else decimals,
        note=seeds_note(len(values), answers.missing),
        trace=(f"by seed: {answers.of(values)}",),
    )


def at_least_two_seeds(answers: Answers[float]) -> Answers[float]:
    """The answers. Raises Unanswered if they have no interval."""
    if len(answers.values) < 2:
        raise Unanswered("1 seed", "an interval over training seeds needs two")
    return answers


def from_to(answers: Answers[tuple[float, float]]) -> Entry:
    """Baseline → model, means over the seeds that have both."""
    before, after = zip(*answers.values, strict=True)
    start, value = sum(before) / len(before), sum(after) / len(after)
    return Entry(
        value=value,
        before=start,
        decimals=decimals_for(value, start),
        note=seeds_note(len(after), answers.missing),
        trace=(f"BL: {answers.of(before)}", f"CT: {answers.of(after)}"),
    )
