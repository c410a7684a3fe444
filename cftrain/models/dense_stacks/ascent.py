"""Gradients by the rows of dense stacks, and what they owe to the weights in turn.

With a direction v of each row, the sum of v * gradient is a directional derivative of
the quantity whose gradient it is: one pass forward with tangents, and one back through
both passes, have its gradient by the weights (Pearlmutter, 1994).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cftrain.models.dense_stacks.dense import Columns, Tape
from cftrain.tensors import Logits, Rows

Curvature = Callable[[Logits], Logits]
"""The Hessian by the logits of a quantity, times a direction."""


@dataclass(frozen=True)
class Ascent:
    """The gradient by rows of a quantity of their logits, and its gradients by what
    each layer puts out, the first layer first.
    """

    tape: Tape
    by_rows: Rows
    slopes: Sequence[Columns]

    def by_weights(self, direction: Rows, curvature: Curvature) -> list[Tensor]:
        """Returns the gradients by weight and bias of each layer, summed over rows, of
        direction * gradient, in which the direction is held.
        """
        layers, tape = self.tape.dense, self.tape
        tangents, moves = [direction.mT], []
        for depth, weight in enumerate(layers.weights):
            moves.append(torch.bmm(weight, tangents[-1]))
            if depth < len(layers.activations):
                back = layers.activations[depth].back
                here = (tape.before[depth], tape.inputs[depth + 1])
                tangents.append(back(moves[depth], *here))
        slope, found = curvature(moves.pop().mT).mT, []
        for depth in reversed(range(len(layers.weights))):
            by_weight = torch.bmm(slope, tape.inputs[depth].mT)
            by_weight += torch.bmm(self.slopes[depth], tangents[depth].mT)
            found += [slope.sum(2), by_weight]
            if depth:
                slope = tape.past(depth, slope)
                bent = self._bent(depth, moves[depth - 1])
                slope = slope if bent is None else slope + bent
        return found[::-1]

    def _bent(self, depth: int, move: Columns) -> Columns | None:
        """Returns what the curvature of the activation below a layer adds."""
        layers, tape = self.tape.dense, self.tape
        curvature = layers.activations[depth - 1].curvature
        if curvature is None:
            return None
        slope = torch.bmm(layers.weights[depth].mT, self.slopes[depth])
        here = (tape.before[depth - 1], tape.inputs[depth])
        return curvature(*here) * move * slope


def ascent(tape: Tape, by_logits: Logits) -> Ascent:
    """Returns the gradient by the rows of what has this gradient by the logits."""
    slopes = tape.slopes(by_logits)
    by_rows = torch.bmm(tape.dense.weights[0].mT, slopes[0]).mT
    return Ascent(tape, by_rows, slopes)
