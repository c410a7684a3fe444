"""Rows drawn from the density that a classifier implies, for joint training."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from cftrain.counterfactuals.gradients import input_gradient
from cftrain.data.sampling import TrainingRows
from cftrain.models.classifier import Classifier
from cftrain.seeding import Stream, Streams, children
from cftrain.tensors import Classes, Logits, PerRow, Rows, Vector

BUFFER = "replay"
"""The name of the buffer in checkpoints."""

SIZE, RESTARTS = 10_000, 0.05
"""Rows in a buffer, and the share of draws that start anew (Grathwohl et al., 2020)."""

STEPS, STEP_SIZE, NOISE = 20, 1.0, 0.01
"""Of stochastic gradient Langevin dynamics, by the same."""

MOST_ROWS = 100
"""Rows drawn in a step of training."""


@dataclass(frozen=True)
class Replay:
    """A buffer of rows (stack, row, feature), which each draw takes from and goes on.

    Rows start uniformly in the box of the observed ones, to which the chains are also
    held: a classifier of few features has a density that need not end anywhere.
    """

    buffer: Rows
    lower: Vector
    upper: Vector
    rows: int

    def drawn(
        self, classifier: Classifier, streams: Streams
    ) -> tuple[Rows, Int[Tensor, "stack drawn"]]:
        """Returns rows after some steps of Langevin dynamics, which it keeps, and where
        in the buffer they are.
        """
        places, start = self._starts(streams)
        x = start
        noises = [_noise(stream, x) for stream in children(streams, "noise")]
        noise = torch.stack(noises, 1).to(x)
        none = torch.zeros_like(places)
        for step in range(STEPS):
            slope = input_gradient(log_density, classifier, x, none)
            x = x + STEP_SIZE * slope + NOISE * noise[step]
            x = torch.minimum(torch.maximum(x, self.lower), self.upper)
            x = torch.where(torch.isfinite(x), x, start)
        cells = torch.arange(len(x), device=x.device).unsqueeze(1)
        self.buffer[cells, places] = x
        return x, places

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint has to hold."""
        return {BUFFER: self.buffer}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on after an interruption."""
        self.buffer.copy_(state[BUFFER])

    def _starts(self, streams: Streams) -> tuple[Tensor, Rows]:
        """Places in the buffer, and where their chains go on or start anew."""
        cells = torch.arange(len(self.buffer), device=self.buffer.device).unsqueeze(1)
        chosen, anew = [], []
        for stream in children(streams, "replay"):
            generator = stream.generator()
            order = torch.randperm(self.buffer.shape[1], generator=generator)
            chosen.append(order[: self.rows])
            anew.append(torch.rand(self.rows, generator=generator) < RESTARTS)
        places = torch.stack(chosen).to(self.buffer.device)
        new = _uniform(streams, self.rows, self.lower, self.upper).to(self.buffer)
        again = torch.stack(anew).to(self.buffer.device).unsqueeze(-1)
        return places, torch.where(again, new, self.buffer[cells, places])


def log_density(logits: Logits, label: Classes) -> PerRow:
    """Returns the log-density of rows but for a constant: minus their energy; the label
    is of no account.
    """
    return logits.logsumexp(-1)


def replay(rows: TrainingRows, batch_rows: int, streams: Streams) -> Replay:
    """Returns a buffer that is filled with uniform rows."""
    features = rows.dataset.features
    lower, upper = features.amin(0), features.amax(0)
    size = min(SIZE, max(len(rows), 1))
    buffer = _uniform(children(streams, "buffer"), size, lower, upper)
    return Replay(
        buffer=buffer.to(features),
        lower=lower,
        upper=upper,
        rows=min(MOST_ROWS, batch_rows, size),
    )


def _uniform(streams: Streams, count: int, lower: Vector, upper: Vector) -> Tensor:
    shape = (count, len(lower))
    shares = [
        torch.rand(shape, generator=s.generator()) for s in children(streams, "uniform")
    ]
    return lower + (upper - lower) * torch.stack(shares).to(lower)


def _noise(stream: Stream, x: Rows) -> Tensor:
    """(step, row, feature)."""
    return torch.randn((STEPS, *x.shape[1:]), generator=stream.generator())
