"""Names of the axes. Their order is stack, row, feature, class; all are always there.

One model is a stack of one. A hyperparameter that differs between the cells of a
stack is a (stack, 1) tensor, which broadcasts against every (stack, row) quantity.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor

Rows = Float[Tensor, "stack row feature"]
Logits = Float[Tensor, "stack row class"]
PerRow = Float[Tensor, "stack row"]
PerClass = Float[Tensor, "stack class"]
PerCell = Float[Tensor, " stack"]
Classes = Int[Tensor, "stack row"]
Mask = Bool[Tensor, "stack row"]
Vector = Float[Tensor, " feature"]
Flags = Bool[Tensor, " feature"]
Features = Float[Tensor, "row feature"]
Labels = Int[Tensor, " row"]

Scalar = float | Float[Tensor, "stack 1"]


def over_features(scalar: Scalar) -> float | Float[Tensor, "stack 1 1"]:
    """A hyperparameter in the shape that broadcasts against (stack, row, feature)."""
    return scalar.unsqueeze(-1) if isinstance(scalar, Tensor) else scalar


def logistic(x: Tensor) -> Tensor:
    """Returns 1 / (1 + exp(-x)).

    The library's sigmoid, softplus and SiLU treat the last few numbers of a tensor in
    another way than the others: a model in a stack would end a bit away from itself.
    """
    return (0.5 * x).tanh().add(1).mul(0.5)


def softplus(x: Tensor) -> Tensor:
    """Returns log(1 + exp(x)), whose bits do not depend on where a number lies either.

    Its derivative at zero is 1/2.
    """
    size = x.abs()
    return 0.5 * (x + size) + (-size).exp().log1p()
