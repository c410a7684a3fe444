"""What a configured object is: its values under stable names, and hashes of them."""

import json
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from hashlib import blake2b
from typing import Any, TypeVar, get_type_hints

from cftrain.config.names import name_of
from cftrain.config.ranges import Incidental, Later, Usual

Mark = TypeVar("Mark")

PLAIN = {str, int, float, bool, type(None)}
"""Types of values that describe themselves."""


@cache
def configured(cls: Any) -> tuple[str, ...]:
    """Fields that a configuration gives; those with a default are internal."""
    return tuple(
        field.name
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    )


Known = dict[int, tuple[Any, Any]]
"""Objects by their places in memory, which they keep, with what describes them."""


def describe(
    value: Any, *, remembered: bool = False, known: Known | None = None
) -> Any:
    """A frozen object as plain JSON values; classes go by their registered names.

    Incidental fields are left out: where something lies is no part of what it is. So
    are later ones that are neutral. With `remembered`, those are kept that a record
    should have nevertheless. Who describes many objects that share parts keeps what is
    `known` of them, and changes none of it.
    """
    cls = type(value)
    if cls in PLAIN:
        return value
    if is_dataclass(cls):
        if known is not None and id(value) in known:
            return known[id(value)][1]
        described = {"_target_": name_of(cls)}
        for name, new in _described(cls, remembered):
            part = getattr(value, name)
            if new is None or part != new.neutral:
                described[name] = describe(part, remembered=remembered, known=known)
        if known is not None:
            known[id(value)] = value, described
        return described
    again = partial(describe, remembered=remembered, known=known)
    if isinstance(value, dict):
        return {name: again(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [again(item) for item in value]
    return value


@cache
def _described(cls: Any, remembered: bool) -> tuple[tuple[str, Later | None], ...]:
    """The fields that describe an object of a class, each with when it is left out."""
    places, new = incidental(cls), later(cls)
    return tuple(
        (name, new.get(name))
        for name in configured(cls)
        if name not in places or (remembered and places[name].remembered)
    )


@cache
def incidental(cls: Any) -> dict[str, Incidental]:
    """The incidental fields of a class, each with what gives today's value."""
    return _marked(cls, Incidental)


@cache
def later(cls: Any) -> dict[str, Later]:
    """The fields that a class got later, each with its neutral value."""
    return _marked(cls, Later)


@cache
def usual(cls: Any) -> dict[str, Usual]:
    """The fields of a class that may be left out, each with what it is then."""
    return _marked(cls, Usual)


def _marked(cls: Any, kind: type[Mark]) -> dict[str, Mark]:
    """The fields whose annotation has a mark of a kind."""
    return {
        name: mark
        for name, hint in get_type_hints(cls, include_extras=True).items()
        for mark in getattr(hint, "__metadata__", ())
        if isinstance(mark, kind)
    }


def digest(value: Any) -> str:
    """Hash of plain values, in their order: that of a table's columns matters."""
    return blake2b(json.dumps(value).encode(), digest_size=8).hexdigest()
