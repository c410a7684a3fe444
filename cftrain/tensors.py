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
