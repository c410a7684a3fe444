"""Registered names of configured classes: what ids and stored results call them.

A stored run must outlive a move or a new name of a class, so it never holds the path of
a module. The name is given once, beside the class, and does not change any more. That
of a class from elsewhere begins with its package: `my_package:nearest`.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar

import cftrain
from cftrain.config import plugins
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

OWN_NAME = re.compile(r"\w+(-\w+)*")
"""What a name is, or what comes after the package in that of a plug-in."""

_CLASSES: dict[str, type] = {}


def named(name: str) -> Callable[[C], C]:
    """Register a class. Raises ConfigError if another one has the name: what is stored
    under it would silently be read as something else. A module may be reloaded.

    Names of classes outside of cftrain begin with the package that is their plug-in:
    `my_package:nearest`.
    """

    def register(cls: C) -> C:
        path, taken = _path(cls), _CLASSES.get(name)
        if taken is not None and _path(taken) != path:
            raise ConfigError(
                f"{path}: expected a name that no other class has, got {name!r}, which "
                f"is {_path(taken)}"
            )
        if not _is_fit(name, cls.__module__):
            package = cls.__module__.partition(".")[0]
            raise ConfigError(
                f"{path}: expected a name that begins with its package, such as "
                f"'{package}:{cls.__name__.lower()}', got {name!r}"
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


def _is_fit(name: str, module: str) -> bool:
    """Whether a class of a module may have a name."""
    package, _, own = name.rpartition(":")
    if OWN_NAME.fullmatch(own) is None:
        return False
    if module.startswith(f"{cftrain.__name__}."):
        return not package
    return bool(package) and f"{module}.".startswith(f"{package}.")


def class_called(target: str) -> Any:
    """The class of a registered name, or of a path into this package or a plug-in; None
    for others.

    Only dataclasses that can be built are found: nothing else is imported or called.
    Raises ConfigError for a plug-in that cannot be imported.
    """
    found = found_at(target)
    concrete = isinstance(found, type) and not inspect.isabstract(found)
    return found if concrete and is_dataclass(found) else None


def is_path(target: str) -> bool:
    """Whether a target is the path of a class, and no registered name."""
    return "." in target and ":" not in target


def found_at(target: str) -> Any:
    """Whatever a registered name or a path means, here or in a plug-in in use; None if
    that is nothing. Nothing is imported but cftrain and plug-ins in use.

    Raises ConfigError for a plug-in that cannot be imported.
    """
    if ":" in target:
        return _in_plugin(target)
    if is_path(target):
        return _at_path(target)
    if target not in _CLASSES:
        _import_all()
    return _CLASSES.get(target)


def _in_plugin(name: str) -> type | None:
    """The class that a plug-in calls by a name. It is looked for in all its modules."""
    plugin = plugins.plugins().get(name.rpartition(":")[0])
    if plugin is None:
        return None
    if name not in _CLASSES:
        for _ in plugins.modules_of(plugin):
            if name in _CLASSES:
                break
    return _CLASSES.get(name)


def adopted(target: object, kind: type) -> Any:
    """The class that stands for something which is none of a kind and can be made one:
    a kind has the module that does it as its `adopted_by`. None for all others.

    Raises ConfigError for what cannot be made one.
    """
    module = getattr(kind, "adopted_by", None)
    if module is None or not isinstance(target, str):
        return None
    return importlib.import_module(module).adopted(target)


def _at_path(target: str) -> Any:
    module, _, name = target.rpartition(".")
    if not module.startswith("cftrain."):
        return plugins.at_path(target)
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
