"""Who wins by a criterion, over training seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cftrain.summary.methods.measured import FLOOR_SHARE
from cftrain.summary.statistics.intervals import deviation, t_interval

Outcome = Literal["won", "tied", "lost"]

ACCURACY, VALIDITY, BELOW_FLOOR = 0.01, 0.02, 0.05
"""What may be lost, and by which share of the gap IP may end below its floor."""

ROUNDING = 1e-9
"""Of sums and differences of shares."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Won where all of the interval over seeds is on the good side, lost where all of
    it is on the other, else tied; `told` has the numbers.
    """

    outcome: Outcome
    told: str


def judged(
    values: Sequence[float] | pd.Series, what: str, *, gain: bool = False
) -> Verdict | None:
    """Returns the verdict on what should be at least 0 in every seed, or as a gain
    above it: a baseline that stands for a method gains nothing. None without values.
    One seed has no interval: it wins or loses by its sign.
    """
    least = ROUNDING if gain else -ROUNDING
    known = [float(value) for value in values if np.isfinite(value)]
    if not known:
        return None
    if len(known) == 1:
        low = high = known[0]
        told = f"{what} {low:.4g}, 1 seed"
    else:
        found = t_interval(known)
        low, high = found.low, found.high
        told = f"{what} {found.centre:.4g} [{low:.4g}, {high:.4g}], {len(known)} seeds"
    good, bad = low >= least, high < -ROUNDING
    outcome: Outcome = "won" if good else "lost" if bad else "tied"
    return Verdict(outcome=outcome, told=told)


def verdicts(
    own: pd.DataFrame,
    published: pd.DataFrame,
    protected: pd.DataFrame,
    published_protected: pd.DataFrame,
) -> dict[str, Verdict | None]:
    """Returns the verdict of every criterion on a method on one dataset.

    Lines of the method and of published counterfactual training, unprotected and with a
    protected feature, each with a line for every seed.
    """
    own, published = own.set_index("seed"), published.set_index("seed")
    # Baselines that stand for a method agree on nothing.
    gained, kept = own["gained"], own.get("kept", pd.Series(True, own.index))
    return {
        "accuracy": judged(own["accuracy"] - own["accuracy_baseline"] + ACCURACY, "by"),
        "validity": judged(own["validity"] - own["validity_baseline"] + VALIDITY, "by"),
        "ip": _plausible(own),
        "ip_star": _both_kernels(own),
        "pgd": judged((own["pgd_accuracy"] - published["pgd_accuracy"]).dropna(), "by"),
        "spread": _steadier(gained[kept], published["gained"]),
        "cost": _cheaper(protected, published_protected),
    }


def _plausible(own: pd.DataFrame) -> Verdict | None:
    """IP on common individuals is lower, where there is room, and not far below the
    floor: that is a collapse.
    """
    before, floor = own["ip_common_baseline"], own["ip_floor_baseline"]
    room = before - floor
    if not (room > FLOOR_SHARE * before.abs()).any():
        return None
    depth = float(((floor - own["ip_common"]) / room).mean())
    if depth > BELOW_FLOOR:
        told = f"below the floor by {100 * depth:.0f} % of the gap: a collapse"
        return Verdict(outcome="lost", told=told)
    return judged(own["gained"], "% lower", gain=True)


def _both_kernels(own: pd.DataFrame) -> Verdict | None:
    """Lower under both kernels; lost if it is worse under either."""
    found = [
        judged(own[f"{name}_baseline"] - own[name], f"{name} lower by", gain=True)
        for name in ("ip_star", "ip_star_median")
    ]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    return Verdict(
        outcome=max((each.outcome for each in known), key=ORDER.__getitem__),
        told="; ".join(each.told for each in known),
    )


ORDER: Mapping[str, int] = {"won": 0, "tied": 1, "lost": 2}


def _steadier(own: pd.Series, published: pd.Series) -> Verdict | None:
    """Seeds agree twice as well as those of the published method, or at least as well:
    a spread of five numbers has no interval worth its name.
    """
    spreads = (
        deviation(own.dropna().to_numpy()),
        deviation(published.dropna().to_numpy()),
    )
    if spreads[0] is None or spreads[1] is None:
        return None
    outcome: Outcome = (
        "won"
        if spreads[0] <= spreads[1] / 2
        else "tied"
        if spreads[0] <= spreads[1]
        else "lost"
    )
    return Verdict(
        outcome=outcome, told=f"{spreads[0]:.3g} points, CT {spreads[1]:.3g}"
    )


def _cheaper(own: pd.DataFrame, published: pd.DataFrame) -> Verdict | None:
    """With a protected feature, cost is not above that of the published method."""
    if own.empty or published.empty:
        return None
    less = published.set_index("seed")["cost"] - own.set_index("seed")["cost"]
    return judged(less.dropna(), "cheaper by")
