"""One measure of some replicates, and the marks of what has no number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import pandas as pd

from cftrain.summary.naming import objective_name
from cftrain.summary.reading.protocols import SHOWN
from cftrain.summary.reading.reader import Reader
from cftrain.summary.reading.selection import Trial
from cftrain.summary.statistics.change import ratios
from cftrain.summary.statistics.rounds import Array, Pairs, Rounds, paired

Side = Literal["model", "baseline"]
T = TypeVar("T")


class Unanswered(Exception):
    """There is no number: a mark to show instead, and what it means."""

    def __init__(self, mark: str, note: str | None = None) -> None:
        super().__init__(mark)
        self.mark = mark
        self.note = note


def no_ratio(baseline: str) -> Unanswered:
    """Returns what to raise where a measure's baseline, called so, is not positive:
    unbiased estimates may be negative.
    """
    note = "the baseline is not positive: no ratio to it"
    return Unanswered(f"{baseline} ≤ 0", note)


@dataclass(frozen=True, kw_only=True)
class Answers(Generic[T]):
    """One answer for each training seed that has one, and what is missing."""

    seeds: tuple[int, ...]
    values: tuple[T, ...]
    missing: str | None

    def of(self, numbers: Sequence[float]) -> str:
        """Returns numbers listed by seed."""
        return ", ".join(
            f"{number:.6g} (seed {seed})"
            for seed, number in zip(self.seeds, numbers, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measure of models that are replicates of one another."""

    reader: Reader
    trials: tuple[Trial, ...]
    metric: str | None
    epsilon: float | None

    def name(self, side: Side) -> str:
        """Returns the objective's abbreviation, such as CT and BL."""
        for trial in self.trials:
            cell = trial.model if side == "model" else trial.baseline
            if cell is not None:
                return objective_name(self.reader.cell(cell)["objective"])
        return "BL"

    def cell(self, trial: Trial, side: Side) -> str:
        """Returns the id of a finished and evaluated cell. Raises Unanswered."""
        cell = trial.model if side == "model" else trial.baseline
        if cell is None:
            raise Unanswered("no baseline", "no baseline was trained")
        row = self.reader.cell(cell)
        if row["status"] != "done":
            raise Unanswered("failed", f"{cell} failed: {row['reason']}")
        evaluation = self.reader.evaluation(cell, trial.protocol)
        if evaluation is None:
            by = "" if trial.protocol is None else f" by {trial.protocol[:SHOWN]}"
            raise Unanswered("not evaluated", f"{cell} was not evaluated{by}")
        if evaluation["status"] != "done":
            reason = evaluation["reason"]
            raise Unanswered("failed", f"evaluation of {cell} failed: {reason}")
        return cell

    def rows_of(
        self, table: str, trial: Trial, side: Side, metric: str | None = None
    ) -> pd.DataFrame:
        """Returns a model's rows in a table, or a metric's. Raises Unanswered."""
        cell = self.cell(trial, side)
        return self.reader.rows(table, cell, trial.protocol, metric)

    def rows(self, trial: Trial, side: Side, metric: str | None = None) -> pd.DataFrame:
        """Returns the rows of the measure, or of another one, without those of other
        strengths of an attack. Raises Unanswered if there are none.
        """
        rows = self.rows_of("metrics", trial, side, metric or self.metric)
        if self.epsilon is not None:
            rows = rows[rows["epsilon"] == self.epsilon]
        if rows.empty:
            raise Unanswered("–")
        return rows

    def by_round(self, trial: Trial, side: Side) -> Rounds:
        """Returns the values of the rounds that have one. Raises Unanswered."""
        cell, reader = self.cell(trial, side), self.reader
        found = reader.by_round(cell, trial.protocol, self.metric, self.epsilon)
        if found is None:
            raise Unanswered("–")
        rounds = found.present()
        if not len(rounds):
            raise Unanswered("no valid", f"nothing to average in any round of {cell}")
        return rounds

    def rounds(self, trial: Trial) -> Pairs:
        """Returns the rounds in which both models have a value. Raises Unanswered."""
        model = self.by_round(trial, "model")
        rounds = paired(model, self.by_round(trial, "baseline"))
        if not len(rounds):
            raise Unanswered("no valid", "no round has a value of both models")
        return rounds

    def ratios(self, rounds: Pairs) -> Array:
        """Returns model over baseline in each of the paired rounds. Raises Unanswered
        if the baseline is not positive in one of them.
        """
        found = ratios(rounds)
        if found is None:
            raise no_ratio(self.name("baseline"))
        return found

    def answers(self, ask: Callable[[Trial], T]) -> Answers[T]:
        """Returns the answer of each training seed that has one. Raises Unanswered if
        none has.
        """
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
