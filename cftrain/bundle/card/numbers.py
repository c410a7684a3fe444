"""The numbers of a model card, each with how sure it is."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from cftrain.summary.measures import measure_told
from cftrain.summary.statistics.intervals import (
    SEEDS_CONFIDENCE,
    Interval,
    deviation,
    t_interval,
)
from cftrain.summary.statistics.rounds import by_round

HEAD = ("measure", "this model", "how sure", "mean of all seeds")
OF_ROWS = "accuracy"
"""In the names of metrics that are shares of test rows."""

FLOORS = ("ip_floor", "ip_star_floor")
"""Not what a model does, but what observed rows have themselves."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A metric of a model: its mean, how sure it is, and that of all seeds."""

    metric: str
    epsilon: float | None
    value: float
    spread: str
    of_seeds: str

    def line(self) -> list[str]:
        """Returns its row of a table."""
        strength = "" if self.epsilon is None else f" (ε = {self.epsilon:g})"
        title = f"{measure_told(self.metric)}{strength}"
        return [title, f"{self.value:.4g}", self.spread, self.of_seeds]


def numbers(metrics: pd.DataFrame, cell: str) -> list[Number]:
    """Returns the metrics of a model that have a value.

    The spread is that over rounds, which draw other rows, or for a share of test rows
    its interval over draws of these. Where there are several training seeds, the
    interval of their mean stands beside it.
    """
    return list(_numbers(metrics, cell)) if len(metrics) else []


def _numbers(metrics: pd.DataFrame, cell: str) -> Iterator[Number]:
    keys = ["metric", "epsilon"]
    for (metric, epsilon), rows in metrics.groupby(keys, sort=False, dropna=False):
        if metric in FLOORS:
            continue
        means = rows.groupby("cell", sort=False).apply(lambda own: by_round(own).mean())
        if pd.isna(means.get(cell)):
            continue
        own = rows[rows["cell"] == cell]
        yield Number(
            metric=str(metric),
            epsilon=None if pd.isna(epsilon) else float(epsilon),
            value=float(means[cell]),
            spread=_spread(own),
            of_seeds=_of_seeds(means.dropna(), share=_is_share(own)),
        )


def _spread(rows: pd.DataFrame) -> str:
    rounds = by_round(rows).present().values
    if len(rounds) > 1:
        return f"± {deviation(rounds):.2g} over {len(rounds)} rounds"
    count = int(rows["rows"].iloc[0])
    if OF_ROWS not in rows["metric"].iloc[0] or count < 1:
        return ""
    return f"{_between(_share(float(rounds[0]), count))}, {count} rows"


def _of_seeds(means: pd.Series, *, share: bool) -> str:
    if len(means) < 2:
        return ""
    found = t_interval(means.tolist())
    if share:  # Student's interval knows nothing of what a share can be
        low, high = max(0.0, found.low), min(1.0, found.high)
        found = Interval(centre=found.centre, low=low, high=high)
    return f"{found.centre:.4g} ({_between(found)}), {len(means)} seeds"


def _is_share(rows: pd.DataFrame) -> bool:
    return bool((rows["unit"] == "share").all())


def _share(value: float, count: int) -> Interval:
    """The interval of a share of so many rows (Wilson, 1927)."""
    # Here, because it takes long to import.
    from scipy.stats import binomtest

    found = binomtest(round(value * count), count)
    interval = found.proportion_ci(SEEDS_CONFIDENCE, method="wilson")
    return Interval(centre=value, low=float(interval.low), high=float(interval.high))


def _between(interval: Interval) -> str:
    return f"{interval.low:.4g} to {interval.high:.4g}"
