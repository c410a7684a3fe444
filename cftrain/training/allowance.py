"""How large a described model may become, from what its stored weights have."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from cftrain.errors import WeightsError

MAKING = frozenset(
    {
        torch.arange,
        torch.empty,
        torch.eye,
        torch.full,
        torch.linspace,
        torch.ones,
        torch.rand,
        torch.randint,
        torch.randn,
        torch.randperm,
        torch.zeros,
    }
)
"""What constructors of layers make tensors with."""

OF_A_TENSOR = 2**13
"""Numbers that take about as much time and memory as a layer of one number does."""

TIMES, LEAST = 4, 2**26
"""Networks of torch are made twice to be checked, and may have buffers that are in no
file: 256 MiB of 32-bit numbers for each cell, or four times those of the weights.
"""


class Allowance(TorchFunctionMode):
    """While this lasts, models are made that weights of so many tensors and numbers can
    be those of, give or take. Raises WeightsError before a larger one is allocated: its
    description, a few bytes, may be from elsewhere.
    """

    def __init__(self, where: str, *, cells: int, tensors: int, numbers: int) -> None:
        super().__init__()
        self._where, self._numbers = where, numbers
        self._left = cells * LEAST + TIMES * (numbers + OF_A_TENSOR * tensors)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in MAKING:
            self._left -= OF_A_TENSOR + self._size(func, args, given)
        if self._left < 0:
            raise WeightsError(
                f"{self._where}: expected the weights of the model that is described, "
                f"which has far more numbers, got {self._numbers}; ask whoever wrote "
                "both for what was written"
            )
        return func(*args, **given)

    def _size(
        self, func: Callable[..., Any], args: Sequence[Any], given: dict[str, Any]
    ) -> int:
        """How many numbers a tensor would have; 0 for arguments that are mistakes,
        about which the function says more.
        """
        shaped = {key: value for key, value in given.items() if key != "generator"}
        try:
            return int(func(*args, **{**shaped, "device": "meta"}).numel())
        except Exception as error:
            return self._left if "verflow" in str(error) else 0
