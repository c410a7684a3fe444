"""Numbers that may differ between the cells of a stack: configured as a float, held as
a (stack, 1) tensor.
"""

from typing import Annotated

import torch

from cftrain.config.ranges import Above, AtLeast, Between
from cftrain.tensors import Scalar

Weight = Annotated[Scalar, AtLeast(0)]
PositiveScalar = Annotated[Scalar, Above(0)]
Probability = Annotated[Scalar, Between(0, 1)]


def counts(weight: Scalar) -> bool:
    """Returns whether the weight is not zero, in any cell."""
    if isinstance(weight, float | int):  # many times for each cell of a grid
        return weight != 0
    return bool(torch.as_tensor(weight).any())
