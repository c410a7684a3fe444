"""Means with intervals of numbers that come one by one, in bounded memory."""

from dataclasses import dataclass, field

from cftrain.advice.overview.sample import Sample
from cftrain.summary.statistics.intervals import (
    Interval,
    bootstrap_interval,
    t_interval_of,
)


@dataclass
class RunningMean:
    """The mean and the sum of squared deviations from it (Welford, 1962)."""

    mean: float = 0.0
    squares: float = 0.0
    sample: Sample[float] = field(default_factory=Sample)

    def add(self, value: float) -> None:
        self.sample.add(value)
        gap = value - self.mean
        self.mean += gap / self.sample.seen
        self.squares += gap * (value - self.mean)

    def interval(self) -> Interval | None:
        """Returns the mean and its 95 % interval; None below two values.

        By the bootstrap, while all values are at hand. Beyond so many, the mean is as
        good as normal and Student's interval comes to the same.
        """
        count = self.sample.seen
        if count < 2:
            return None
        if self.sample.whole:
            return bootstrap_interval(self.sample.kept)
        deviation = (self.squares / (count - 1)) ** 0.5
        return t_interval_of(self.mean, deviation, count)
