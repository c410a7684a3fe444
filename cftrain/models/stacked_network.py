"""Many copies of one network of torch as a classifier with a stack axis."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from cftrain.errors import ModelError
from cftrain.models.classifier import Learner
from cftrain.models.dropout import Masks, StreamedDropout
from cftrain.models.module import check_logits
from cftrain.seeding import Streams
from cftrain.tensors import Logits, Rows

TURNS = (nn.modules.conv._ConvNd, nn.RNNBase, nn.MultiheadAttention)
"""Layers whose stacks gain nothing from vmap: a grouped convolution of some hundred
images costs up to 1.5 times as much as one convolution after the other, and vmap goes
through the cells of the others itself (`make bench-networks`).
"""


class StackedNetwork(Learner):
    """Networks of one class, whose weights have the stack as their leading axis.

    Parameters and buffers have the names that they have in a single network, and one of
    a cell is that of its network, so that files of weights serve both. Parameters that
    need no gradient are kept as buffers: they are not trained. `shape` is that of a row
    as a network takes it; rows of images, (channel, height, width), have the channels
    of a pixel side by side, as our images do.

    A stack is vmapped, or its networks take turns (`in_turns`). A stack of one is
    neither.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        *,
        shape: Sequence[int],
        classes: int,
        in_turns: bool,
    ) -> None:
        super().__init__()
        _fill(self, networks)
        plan = copy.deepcopy(networks[0]).to("meta")
        # No submodules: their weights have no stack axis and are never used.
        self.__dict__["_seeing"] = plan.eval()
        self.__dict__["_learning"] = copy.deepcopy(plan).train()
        self.__dict__["_known"] = None
        self.shape, self.classes, self.in_turns = tuple(shape), classes, in_turns

    def forward(self, rows: Rows) -> Logits:
        """Logits in evaluation mode, in which nothing is drawn."""
        return self._logits(self.__dict__["_seeing"], rows, None)

    def learning(self, rows: Rows, streams: Streams) -> Logits:
        """Logits in training mode; what dropout draws comes from a stream per cell."""
        masks = Masks(streams)
        with StreamedDropout(masks):
            return self._logits(self.__dict__["_learning"], rows, masks)

    def _logits(self, network: nn.Module, rows: Rows, masks: Masks | None) -> Logits:
        call, tensors = self._caller(network, rows.dtype), self._tensors()
        inputs = self._inputs(rows)
        if len(rows) > 1 and not self.in_turns:
            stacked: Logits = vmap(call)(tensors, inputs)
            return stacked
        cells = zip(*(tensor.unbind() for tensor in tensors.values()), strict=True)
        logits = []
        for cell, (values, x) in enumerate(zip(cells, inputs, strict=True)):
            if masks is not None:
                masks.cell = cell
            logits.append(call(dict(zip(tensors, values, strict=True)), x))
        return torch.stack(logits)

    def _caller(
        self, network: nn.Module, dtype: torch.dtype
    ) -> Callable[[dict[str, Tensor], Tensor], Tensor]:
        """What maps a network's tensors and its inputs to its logits."""

        def call(tensors: dict[str, Tensor], x: Tensor) -> Tensor:
            logits = functional_call(network, tensors, (x,))
            if torch.compiler.is_compiling():  # an exported graph asks nothing
                return logits
            check_logits(logits, len(x), self.classes, key="model")
            if logits.dtype != dtype:
                raise ModelError(
                    f"model: expected logits of {dtype}, as its inputs are, got "
                    f"{logits.dtype}"
                )
            found: Tensor = logits
            return found

        return call

    def _tensors(self) -> dict[str, Tensor]:
        """All parameters and buffers by their names; copies of this find their own."""
        known = self.__dict__["_known"]
        if known is None or known[0] is not self:
            found = {**dict(self.named_parameters()), **dict(self.named_buffers())}
            known = self.__dict__["_known"] = (self, found)
        tensors: dict[str, Tensor] = known[1]
        return tensors

    def _apply(self, fn: Any, recurse: bool = True) -> "StackedNetwork":
        """Moves to another device or type, which may make other tensors."""
        self.__dict__["_known"] = None
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _inputs(self, rows: Rows) -> Tensor:
        """The rows (stack, row, *shape) as networks take them."""
        if len(self.shape) != 3 or self.shape[0] == 1:
            return rows.reshape(*rows.shape[:2], *self.shape)
        channels, *size = self.shape
        return rows.reshape(*rows.shape[:2], *size, channels).movedim(-1, 2)


class _Part(nn.Module):
    """A part of a network, of which it has the tensors and the names."""


def _fill(part: nn.Module, networks: Sequence[nn.Module]) -> None:
    """Gives a part the tensors of the same part of many networks, stacked."""
    first = networks[0]
    for name, value in first._parameters.items():
        if value is None:
            continue
        stacked = torch.stack([n._parameters[name].detach() for n in networks])  # type: ignore[union-attr]
        if value.requires_grad:
            part._parameters[name] = nn.Parameter(stacked)
        else:
            part._buffers[name] = stacked
    for name, buffer in first._buffers.items():
        if buffer is not None:
            part._buffers[name] = torch.stack([n._buffers[name] for n in networks])  # type: ignore[misc]
    part._non_persistent_buffers_set |= first._non_persistent_buffers_set
    for name, child in first._modules.items():
        if child is not None:
            part._modules[name] = _Part()
            _fill(part._modules[name], [n._modules[name] for n in networks])  # type: ignore[arg-type, misc]
