"""Sensitivity to a protected feature, over seeds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from tabulate import tabulate

from cftrain.summary.figures.saving import save
from cftrain.summary.figures.styles import AS_WRITTEN
from cftrain.summary.statistics.intervals import t_interval

GREY, GREEN = "#888888", "#2c8c3c"


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """How much of a linear model's sensitivity falls on one feature, per seed.

    The share |w_d| / sum |w|, with w the difference of the two classes' weights:
    without and with the feature protected in training.
    """

    feature: str
    free: np.ndarray
    protected: np.ndarray

    @property
    def change(self) -> np.ndarray:
        """Negative where protection lowers the sensitivity."""
        return self.protected - self.free


def shares_table(shares: Sensitivity) -> str:
    """Returns the shares' means over seeds and their 95 % intervals as text."""
    rows = []
    for name, values in (
        ("free", shares.free),
        ("protected", shares.protected),
        ("change (paired)", shares.change),
    ):
        found = t_interval(values.tolist())
        numbers = found.centre, found.low, found.high
        rows.append((name, *(f"{number:.4f}" for number in numbers)))
    head = [
        f"sensitivity share of {shares.feature}, {len(shares.free)} seeds",
        "mean",
        "95 % from",
        "to",
    ]
    return tabulate(rows, head, tablefmt="simple", disable_numparse=True)


@rc_context(AS_WRITTEN)
def draw_shares(shares: Sensitivity, path: Path) -> list[Path]:
    """Draws each seed as a line from its free to its protected share."""
    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axis = figure.subplots()
    for free, protected in zip(shares.free, shares.protected, strict=True):
        axis.plot([0, 1], [free, protected], color=GREY, alpha=0.5, linewidth=1)
    for place, values in enumerate((shares.free, shares.protected)):
        found = t_interval(values.tolist())
        axis.errorbar(
            place,
            found.centre,
            [[found.centre - found.low], [found.high - found.centre]],
            fmt="o",
            color=GREEN,
            capsize=6,
            linewidth=2,
            zorder=3,
        )
    axis.set_xticks([0, 1], [f"{shares.feature} free", f"{shares.feature} immutable"])
    axis.set_xlim(-0.4, 1.4)
    axis.set_ylim(bottom=0)
    axis.set_ylabel(f"share of the sensitivity that falls on {shares.feature}")
    axis.set_title("mean and 95 % interval over seeds", fontsize=10)
    return save(figure, path)
