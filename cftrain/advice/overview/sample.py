"""A random choice among things that come one by one, in bounded memory."""

import random
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

SIZE = 2000
"""Things that are kept at most."""


@dataclass
class Sample(Generic[T]):
    """All things while they are few, then each of them with the same probability.

    (Algorithm R; Vitter, 1985.) What is kept depends on how many there were alone.
    """

    kept: list[T] = field(default_factory=list)
    seen: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(0))

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return self.seen == len(self.kept)

    def add(self, thing: T) -> None:
        self.seen += 1
        if len(self.kept) < SIZE:
            self.kept.append(thing)
            return
        place = self._random.randrange(self.seen)
        if place < SIZE:
            self.kept[place] = thing
