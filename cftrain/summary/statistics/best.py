"""Which of several settings is best, and which are as good as that one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cftrain.summary.statistics.intervals import (
    SEEDS_CONFIDENCE,
    Interval,
    t_interval,
    t_interval_of,
)


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A setting by its place in what was given, the best first.

    `interval` is that of the mean over seeds (95 %, Student's t), None for fewer than
    two. `behind` says by how much it is worse than the best one: paired over the seeds
    that both have, for all comparisons together (Bonferroni); None for the best itself
    and for fewer than two seeds in common. It is a tie if that interval has zero in it,
    None if nothing can be said.
    """

    place: int
    mean: float
    seeds: int
    interval: Interval | None
    behind: Interval | None
    tied: bool | None


def ranked(
    values: Sequence[Mapping[int, float]], *, higher_is_better: bool
) -> list[Ranked]:
    """Returns settings, given by their values by seed, from the best to the worst.

    Values that are not finite do not count; settings without any come last.
    """
    finite = [
        {seed: value for seed, value in each.items() if math.isfinite(value)}
        for each in values
    ]
    means = [
        float(np.mean(list(each.values()))) if each else math.nan for each in finite
    ]
    sign = 1 if higher_is_better else -1
    order = sorted(
        range(len(values)),
        key=lambda place: (math.isnan(means[place]), -sign * means[place], place),
    )
    comparisons = sum(bool(each) for each in finite) - 1
    found = []
    for place in order:
        own, best = finite[place], finite[order[0]]
        behind = (
            None
            if place == order[0]
            else _behind(own, best, sign=sign, comparisons=comparisons)
        )
        found.append(
            Ranked(
                place=place,
                mean=means[place],
                seeds=len(own),
                interval=t_interval(list(own.values())) if len(own) > 1 else None,
                behind=behind,
                tied=None if behind is None else not behind.excludes_zero,
            )
        )
    return found


def _behind(
    own: Mapping[int, float], best: Mapping[int, float], *, sign: int, comparisons: int
) -> Interval | None:
    """By how much a setting is worse, over the seeds that both have."""
    shared = sorted(own.keys() & best.keys())
    if len(shared) < 2:
        return None
    gaps = [sign * (best[seed] - own[seed]) for seed in shared]
    return t_interval_of(
        float(np.mean(gaps)),
        float(np.std(gaps, ddof=1)),
        len(gaps),
        confidence=1 - (1 - SEEDS_CONFIDENCE) / max(1, comparisons),
    )
