"""Many frozen objects to one, whose differing floats are (stack, 1) tensors."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor

from cftrain.errors import StackError

T = TypeVar("T")


def stack(members: Sequence[T], *, dtype: torch.dtype, device: torch.device) -> T:
    """One object that stands for all members, in their order.

    Floats become (stack, 1) tensors, nested dataclasses are stacked in turn unless they
    say that they are not `stackable`, and all else has to agree. Raises StackError
    where it does not.
    """
    first = members[0]
    if any(type(member) is not type(first) for member in members):
        kinds = sorted({type(member).__name__ for member in members})
        raise StackError(f"stack: expected objects of one class, got {kinds}")
    stacked: dict[str, Any] = {}
    for field in fields(first):  # type: ignore[arg-type]
        values = [getattr(member, field.name) for member in members]
        name = f"{type(first).__name__}.{field.name}"
        stacked[field.name] = _stack_values(name, values, dtype, device)
    return replace(first, **stacked)  # type: ignore[type-var]


def select(stacked: T, cells: slice | list[int] | Tensor) -> T:
    """The same object for some cells of the stack only."""
    chosen: dict[str, Any] = {}
    kind: Any = type(stacked)
    for name in _names(kind):
        value = getattr(stacked, name)
        if isinstance(value, Tensor):
            chosen[name] = value[cells]
        elif is_dataclass(value) and not isinstance(value, type):
            part = select(value, cells)
            if part is not value:
                chosen[name] = part
    # What is the same in all cells stands for any of them.
    return replace(stacked, **chosen) if chosen else stacked  # type: ignore[type-var]


def divided(stacked: T, parts: int) -> list[T]:
    """The same object for each of so many equal parts of the stack, in their order."""
    kind: Any = type(stacked)
    names = _names(kind)
    values = [_divided_value(getattr(stacked, name), parts) for name in names]
    return [
        kind(**dict(zip(names, each, strict=True)))
        for each in zip(*values, strict=True)
    ]


@cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def _divided_value(value: Any, parts: int) -> Sequence[Any]:
    if isinstance(value, Tensor):
        return value.unflatten(0, (parts, -1)).unbind(0)
    if is_dataclass(value) and not isinstance(value, type):
        return divided(value, parts)
    return [value] * parts


def _stack_values(
    name: str, values: list[Any], dtype: torch.dtype, device: torch.device
) -> Any:
    if all(isinstance(value, float) for value in values):
        return torch.tensor(values, dtype=dtype, device=device).unsqueeze(1)
    if is_dataclass(values[0]) and getattr(values[0], "stackable", True):
        return stack(values, dtype=dtype, device=device)
    if any(value != values[0] for value in values):
        raise StackError(f"{name}: expected the same value in all cells, got {values}")
    return values[0]
