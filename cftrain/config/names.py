"""Registered names of configured classes: what ids and stored results call them.

A stored run must outlive a move or a new name of a class, so it never holds the path of
a module. The name is given once, beside the class, and does not change any more.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar

import cftrain
from cftrain.errors import ConfigError

C = TypeVar("C", bound=type)

PACKAGES = (
    "data",
    "models",
    "counterfactuals",
    "generators",
    "objectives",
    "training",
    "evaluation",
)
"""Packages whose classes may stand in stored results."""

_CLASSES: dict[str, type] = {}


def named(name: str) -> Callable[[C], C]:
    """Register a class. Raises ConfigError if another one has the name: what is stored
    under it would silently be read as something else. A module may be reloaded.
    """

    def register(cls: C) -> C:
        path, taken = _path(cls), _CLASSES.get(name)
        if taken is not None and _path(taken) != path:
            raise ConfigError(
                f"{path}: expected a name that no other class has, got {name!r}, which "
                f"is {_path(taken)}"
            )
        _CLASSES[name] = cls
        cls.registered_name = name  # type: ignore[attr-defined]
        return cls

    return register


def name_of(cls: type) -> str:
    """The registered name of a class. Raises LookupError if it has none of its own."""
    name = cls.__dict__.get("registered_name")
    if not isinstance(name, str):
        raise LookupError(f"{_path(cls)}: no registered name")
    return name


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def class_called(target: str) -> Any:
    """The class of a registered name, or of a path into this package; None for others.

    Only dataclasses that can be built are found: nothing else is imported or called.
    """
    if "." in target:
        found = _at_path(target)
    else:
        found = _CLASSES.get(target)
        if found is None:
            _import_all()
            found = _CLASSES.get(target)
    concrete = isinstance(found, type) and not inspect.isabstract(found)
    return found if concrete and is_dataclass(found) else None


def _at_path(target: str) -> Any:
    module, _, name = target.rpartition(".")
    if not module.startswith("cftrain."):
        return None
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):  # no such module, or no name of one
        return None


@cache
def _import_all() -> None:
    """Import every module that may register a name: who reads old results cannot know
    where a class lives today.
    """
    for package in PACKAGES:
        found = importlib.import_module(f"{cftrain.__name__}.{package}")
        for module in pkgutil.walk_packages(found.__path__, f"{found.__name__}."):
            importlib.import_module(module.name)
