"""How far a search may go, and by which steps."""

from dataclasses import dataclass

from cftrain.config.names import named
from cftrain.config.ranges import Count
from cftrain.counterfactuals.hyperparameters import PositiveScalar


@named("gradient_descent")
@dataclass(frozen=True, kw_only=True)
class GradientDescent:
    """Budget and size of the moves of a search, as configured.

    `step_size` multiplies the gradient; `max_steps` moves are made at most; `epsilon`
    bounds how far any feature of a nascent row is from its factual.
    """

    step_size: PositiveScalar
    max_steps: Count
    epsilon: PositiveScalar
