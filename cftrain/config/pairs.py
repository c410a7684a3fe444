"""Mappings as pairs, whose names may be any texts.

Hydra's grammar has no quotes around the names of a mapping: on a command line, they
could be of plain letters only.
"""

from typing import Any


def are_pairs(value: Any) -> bool:
    """Returns whether a value is a list of pairs of a name and what it stands for."""
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(each, list) and len(each) == 2 for each in value)
    )


def as_mapping(value: Any) -> Any:
    """Returns the mapping of pairs with texts as names, each of them once.

    Anything else is returned as it is.
    """
    if not are_pairs(value):
        return value
    names = [name for name, _ in value]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return value
    return dict(value)
