"""What training for better counterfactuals may cost, and the choice that follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Annotated

from cftrain.config.ranges import AtLeast, Count, Share
from cftrain.errors import ConfigError
from cftrain.results.budget.curve import LIMITED

STRENGTH = "strength"
"""The measure by which the strongest objective is the best one."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much less of its baseline's accuracy, validity and reach a model may have;
    reach is the share of counterfactuals that get to the threshold of maturity.

    Shares, on validation rows; None: any. A loss counts with so many of its
    `standard_errors` on top: 0 goes by what was observed, 1.645 by what is lost with a
    probability of 5 % at most. Of the `strengths` within the budget that one is kept
    which is the best by `measure`: the strongest, or the one that has most (or least,
    as is better) of a metric of the evaluation. `individuals` are searched for the
    sake of validity, reach and metrics.
    """

    accuracy: Share | None
    validity: Share | None
    reach: Share | None
    measure: str
    strengths: tuple[Annotated[float, AtLeast(0)], ...]
    standard_errors: Annotated[float, AtLeast(0)]
    individuals: Count

    def __post_init__(self) -> None:
        if not any(self.strengths) or len(set(self.strengths)) < len(self.strengths):
            raise ConfigError(
                "budget.strengths: expected different numbers, of which one is above "
                f"0, got {list(self.strengths)}"
            )

    @property
    def active(self) -> bool:
        """Whether there is one at all."""
        return any(most is not None for most in self.limits.values())

    @property
    def limits(self) -> dict[str, float | None]:
        """How much may be lost, by the names of what may."""
        return {name: getattr(self, name) for name in LIMITED}

    @property
    def tried(self) -> tuple[float, ...]:
        """The strengths besides 0, which the baseline stands for, in their order."""
        return tuple(sorted(strength for strength in self.strengths if strength))


@dataclass(frozen=True, kw_only=True)
class Loss:
    """How much less of something a model has than its baseline on the same rows: the
    mean and its standard error, NaN where one cannot tell.
    """

    value: float
    error: float

    def within(self, most: float | None, *, errors: float) -> bool:
        """Whether it is no more than is allowed, None being any."""
        if most is None:
            return True
        error = self.error if errors and isfinite(self.error) else 0.0
        return self.value + errors * error <= most


NOTHING = Loss(value=nan, error=nan)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model of some strength, as validation rows see it: what it loses, by name, and
    a `score`, the higher the better, NaN without one.
    """

    strength: float
    losses: Mapping[str, Loss]
    score: float


def within(candidate: Candidate, budget: Budget) -> bool:
    """Returns whether a model costs no more than it may."""
    return all(
        candidate.losses[name].within(most, errors=budget.standard_errors)
        for name, most in budget.limits.items()
    )


def kept(candidates: Sequence[Candidate], budget: Budget) -> int:
    """Returns the place of the best model within the budget.

    The first candidate is the baseline, which costs nothing and is always within; of
    equals the stronger one is kept.
    """
    eligible = [
        place
        for place, candidate in enumerate(candidates)
        if place == 0 or (isfinite(candidate.score) and within(candidate, budget))
    ]
    return max(eligible, key=lambda place: _order(candidates[place]))


def _order(candidate: Candidate) -> tuple[bool, float, float]:
    known = isfinite(candidate.score)
    return known, candidate.score if known else 0.0, candidate.strength
