"""Admissible values of configured fields, attached to their annotations.

`threshold: Annotated[float, Between(0, 1)]` is checked when a configuration is read
(`cftrain.config.build`); nothing below the command line checks it again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, runtime_checkable


@runtime_checkable
class Range(Protocol):
    """Knows which numbers it holds and how to say so."""

    def holds(self, value: float) -> bool: ...

    def __str__(self) -> str: ...


@dataclass(frozen=True)
class AtLeast:
    low: float

    def holds(self, value: float) -> bool:
        return self.low <= value < float("inf")

    def __str__(self) -> str:
        return f"a number >= {self.low:g}"


@dataclass(frozen=True)
class Above:
    low: float

    def holds(self, value: float) -> bool:
        return self.low < value < float("inf")

    def __str__(self) -> str:
        return f"a number > {self.low:g}"


@dataclass(frozen=True)
class Below:
    high: float

    def holds(self, value: float) -> bool:
        return float("-inf") < value < self.high

    def __str__(self) -> str:
        return f"a number < {self.high:g}"


@dataclass(frozen=True)
class Between:
    """The open interval, or with `closed` the one that includes both ends."""

    low: float
    high: float
    closed: bool = False

    def holds(self, value: float) -> bool:
        if self.closed:
            return self.low <= value <= self.high
        return self.low < value < self.high

    def __str__(self) -> str:
        left, right = "[]" if self.closed else "()"
        return f"a number in {left}{self.low:g}, {self.high:g}{right}"


Share = Annotated[float, Between(0, 1, closed=True)]
PositiveFloat = Annotated[float, Above(0)]
Count = Annotated[int, AtLeast(1)]
Seed = Annotated[int, AtLeast(0), Below(2**63)]


@dataclass(frozen=True)
class Incidental:
    """Marks a field that says where something is, not what: no part of a run's id.

    `today` gives its value when a stored run is built again, here and now, unless what
    was stored has a value that is `remembered`.
    """

    today: Callable[[], Any]
    remembered: bool = False


@dataclass(frozen=True)
class Later:
    """Marks a field that its class got later. At the neutral value, which changes
    nothing, it is left out of what identifies an object: older ones stay what they are.
    """

    neutral: Any


@dataclass(frozen=True)
class Usual:
    """Marks a field that a configuration may leave out: then it has this value, given
    as a configuration gives it. What identifies an object has it all the same.
    """

    value: Any
