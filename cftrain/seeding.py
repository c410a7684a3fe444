"""Random streams: every draw is a pure function of a seed and of what it is for.

A stream has no state that a checkpoint would have to keep: the generator of epoch 7
is the same whether or not epochs 1 to 6 were run in this process. Cells draw from
their own streams, so a cell's numbers do not depend on its neighbours in a stack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import torch


@dataclass(frozen=True)
class Stream:
    """A seed and the path of names that leads from it to one purpose."""

    seed: int
    path: tuple[str | int, ...] = ()

    def child(self, *names: str | int) -> "Stream":
        return Stream(self.seed, (*self.path, *names))

    def generator(self) -> torch.Generator:
        """A fresh CPU generator; equal streams give equal draws on every device."""
        digest = blake2b(repr((self.seed, self.path)).encode(), digest_size=8).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)


Streams = Sequence[Stream]
"""One stream for each cell of a stack."""


def children(streams: Streams, *names: str | int) -> list[Stream]:
    """Returns the child of each stream."""
    return [stream.child(*names) for stream in streams]
