"""Dropout from one stream for each cell: the same in any stack and after any pause."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cftrain.seeding import Streams

WHOLE = (functional.dropout,)
"""Drop single numbers."""

CHANNELS = (functional.dropout1d, functional.dropout2d, functional.dropout3d)
"""Drop whole channels of (row, channel, ...)."""


class Masks:
    """What dropout multiplies by, from one stream for each cell.

    The masks of a cell follow each other in the order in which its network asks for
    them, whatever its neighbours are; equal streams drop the same on every device.
    Networks that are vmapped ask all at once, others one after the other, as `cell`
    says.
    """

    def __init__(self, streams: Streams) -> None:
        self._generators = [stream.generator() for stream in streams]
        self.cell: int | None = None

    def next(self, shape: Sequence[int], p: float, like: Tensor) -> Tensor:
        """Returns the mask (stack, *shape) of all cells, or the one (*shape) of the
        cell whose turn it is: 0 with probability p, and elsewhere 1 / (1 - p).
        """
        turn = self.cell
        chosen = self._generators if turn is None else self._generators[turn : turn + 1]
        drawn = [torch.rand(*shape, generator=generator) for generator in chosen]
        kept = (torch.stack(drawn) >= p).to(like.device, like.dtype)
        kept = kept / (1 - p) if p < 1 else kept
        return kept if turn is None else kept[0]


class StreamedDropout(TorchFunctionMode):
    """While this lasts, dropout of torch takes its masks from streams, and not from
    what all of the program draws from.
    """

    def __init__(self, masks: Masks) -> None:
        super().__init__()
        self._masks = masks

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in WHOLE:
            return self._dropped(_of_numbers, *args, **given)
        if func in CHANNELS:
            return self._dropped(_of_channels, *args, **given)
        return func(*args, **given)

    def _dropped(
        self,
        shape_of: Callable[[Sequence[int]], Sequence[int]],
        input: Tensor,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> Tensor:
        """As torch's own, but never in place."""
        if not training or p == 0:
            return input
        if self._masks.cell is None:
            dropped: Tensor = _OfAllCells.apply(  # type: ignore[no-untyped-call]
                input, self._masks, float(p), shape_of
            )
            return dropped
        return input * self._masks.next(shape_of(input.shape), float(p), input)


class _OfAllCells(torch.autograd.Function):
    """Meets the numbers of all cells under vmap, which shows a network only its own."""

    generate_vmap_rule = False

    @staticmethod
    def forward(x: Tensor, *_: Any) -> Tensor:
        raise AssertionError("a network that is vmapped was expected")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        raise AssertionError("a network that is vmapped was expected")

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Sequence[int | None],
        x: Tensor,
        masks: Masks,
        p: float,
        shape_of: Callable[[Sequence[int]], Sequence[int]],
    ) -> tuple[Tensor, int]:
        """Plain operations, which torch differentiates by itself."""
        place = in_dims[0]
        stacked = (
            x.expand(info.batch_size, *x.shape)
            if place is None
            else x.movedim(place, 0)
        )
        return stacked * masks.next(shape_of(stacked.shape[1:]), p, stacked), 0


def _of_numbers(shape: Sequence[int]) -> Sequence[int]:
    return tuple(shape)


def _of_channels(shape: Sequence[int]) -> Sequence[int]:
    return (*shape[:2], *(1 for _ in shape[2:]))
