"""What a configured object is: its values under stable names, and hashes of them."""

import json
from dataclasses import MISSING, fields, is_dataclass
from hashlib import blake2b
from typing import Any, get_type_hints

from cftrain.config.names import name_of
from cftrain.config.ranges import Incidental


def configured(cls: Any) -> list[str]:
    """Fields that a configuration gives; those with a default are internal."""
    return [
        field.name
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    ]


def describe(value: Any) -> Any:
    """A frozen object as plain JSON values; classes go by their registered names.

    Incidental fields are left out: where something lies is no part of what it is.
    """
    if is_dataclass(value) and not isinstance(value, type):
        places = incidental(type(value))
        described = {
            name: describe(getattr(value, name))
            for name in configured(type(value))
            if name not in places
        }
        return {"_target_": name_of(type(value)), **described}
    if isinstance(value, dict):
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    return value


def incidental(cls: Any) -> dict[str, Incidental]:
    """The incidental fields of a class, each with what gives today's value."""
    found = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        for mark in getattr(hint, "__metadata__", ()):
            if isinstance(mark, Incidental):
                found[name] = mark
    return found


def digest(value: Any) -> str:
    """Hash of plain values, in their order: that of a table's columns matters."""
    return blake2b(json.dumps(value).encode(), digest_size=8).hexdigest()
