"""What a column of a table shows of some trained models."""

from abc import ABC, abstractmethod
from math import inf
from typing import ClassVar, Literal

from cftrain.summary.statistics.intervals import INTERVALS
from cftrain.summary.tables.sample import Answers, Sample, Unanswered
from cftrain.summary.tables.table import Entry, decimals_for

IntervalName = Literal["t", "bootstrap"]

ENOUGH_SEEDS = 5


class Quantity(ABC):
    """One number of a sample, with what belongs to it."""

    table: ClassVar[str] = "metrics"
    """The table of results that it is made of."""

    @abstractmethod
    def entry(self, sample: Sample) -> Entry:
        """Returns what the table shows. Raises Unanswered."""


def over_seeds(
    answers: Answers[float],
    interval: IntervalName,
    *,
    decimals: int | None = None,
    within: tuple[float, float] = (-inf, inf),
) -> Entry:
    """Returns the mean over seeds and its interval, cut to what is possible; of one
    seed, its value alone.

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
        note=_seeds_note(len(values), answers.missing),
        trace=(f"by seed: {answers.of(values)}",),
    )


def at_least_two_seeds(answers: Answers[float]) -> Answers[float]:
    """Returns the answers. Raises Unanswered if they have no interval."""
    if len(answers.values) < 2:
        raise Unanswered("1 seed", "an interval over training seeds needs two")
    return answers


def from_to(answers: Answers[tuple[float, float]], names: tuple[str, str]) -> Entry:
    """Returns baseline → model, means over the seeds that have both; `names` are those
    of baseline and model.
    """
    before, after = zip(*answers.values, strict=True)
    start, value = sum(before) / len(before), sum(after) / len(after)
    return Entry(
        value=value,
        before=start,
        decimals=decimals_for(value, start),
        note=_seeds_note(len(after), answers.missing),
        trace=(
            f"{names[0]}: {answers.of(before)}",
            f"{names[1]}: {answers.of(after)}",
        ),
    )


def _seeds_note(count: int, missing: str | None) -> str | None:
    """The footnote of a mean over seeds."""
    seeds = "seed" if count == 1 else "seeds"
    few = f"n={count} training {seeds}" if count < ENOUGH_SEEDS else None
    return joined(few, missing)


def joined(*notes: str | None) -> str | None:
    """Returns several footnotes of one entry as one, None without any."""
    return "; ".join(note for note in notes if note) or None
