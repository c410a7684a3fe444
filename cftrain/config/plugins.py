"""Plug-ins: packages from elsewhere whose classes and options a configuration may use.

Who is at the keyboard puts them in use: by installing a package that has an entry
point of the group `cftrain.plugins`, or by naming one. What a file or a folder of
results says never does, and nothing is imported for it.
"""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from cftrain.errors import ConfigError

GROUP = "cftrain.plugins"
OPTION = "--plugins"
OPTIONS_FOLDER = "conf"

NOT_IMPORTED = ("tests", "conftest")
"""Modules of a package in which no name is looked for."""

_NAMED: ContextVar[tuple[str, ...]] = ContextVar("plugins", default=())


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A package that is in use, by what it is imported as.

    `origin` says who put it in use; `folders` are those that its modules lie in.
    """

    name: str
    origin: str
    folders: tuple[Path, ...]

    @property
    def options(self) -> list[Path]:
        """Returns the trees of options that it brings: one or none."""
        found = [folder / OPTIONS_FOLDER for folder in self.folders]
        return [folder for folder in found if folder.is_dir()]


def without_plugins(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Returns the words of a command line without `--plugins a,b`, and what was named
    by it. Raises ConfigError.
    """
    named: list[str] = []
    others: list[str] = []
    left = iter(words)
    for word in left:
        option, equals, value = word.partition("=")
        if option != OPTION:
            others.append(word)
            continue
        value = value if equals else next(left, "")
        named += value.split(",")
    return others, tuple(named)


@contextmanager
def plugins_named(names: Sequence[str]) -> Iterator[None]:
    """While this lasts, packages are in use besides those that are installed as such.

    Each of them is imported at once. Raises ConfigError for those that cannot be.
    """
    given = tuple(dict.fromkeys((*_NAMED.get(), *names)))
    for name in names:
        _check_name(name, OPTION)
    before = _NAMED.set(given)
    try:
        for name in names:
            plugins()  # which looks whether it is there
            imported(name)
        yield
    finally:
        _NAMED.reset(before)


def plugins() -> dict[str, Plugin]:
    """Returns the plug-ins in use by their names. Raises ConfigError for two of one
    name and for those that are not there.
    """
    return _found(tuple(sys.path), _NAMED.get())


def plugin_of(module: str) -> Plugin | None:
    """Returns the plug-in that a module belongs to, None for all other modules."""
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    known = plugins()
    return next((known[name] for name in names if name in known), None)


def option_folders() -> list[Path]:
    """Returns the trees of options that plug-ins bring."""
    return [folder for plugin in plugins().values() for folder in plugin.options]


def at_path(target: str) -> Any:
    """Returns what a path such as `my_package.metrics.Nearest` names in a plug-in; None
    outside of those in use, without an import, and for what is not there.

    Raises ConfigError for a module that raises.
    """
    module, _, name = target.rpartition(".")
    private = any(part.startswith("_") for part in target.split("."))
    if private or plugin_of(module) is None:
        return None
    found = imported(module)
    return None if found is None else getattr(found, name, None)


def modules_of(plugin: Plugin) -> Iterator[ModuleType]:
    """Yields the plug-in's own module and all below it, as long as they are asked for.

    Those that raise are left out, and come as a ConfigError in the end.
    """
    failures: list[ConfigError] = []
    waiting = [plugin.name]
    while waiting:
        name = waiting.pop(0)
        try:
            module = imported(name)
        except ConfigError as error:
            failures.append(error)
            continue
        if module is None:
            continue
        yield module
        places = getattr(module, "__path__", ())
        below = (found.name for found in pkgutil.iter_modules(places))
        waiting += [
            f"{name}.{each}"
            for each in below
            if not each.startswith("_") and each not in NOT_IMPORTED
        ]
    if failures:
        raise failures[0]


def imported(module: str) -> ModuleType | None:
    """Returns a module, None if there is none of that name. Raises ConfigError if it
    raises, whatever that is.
    """
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        missing = getattr(error, "name", None)
        if isinstance(error, ModuleNotFoundError) and _is_in(module, missing):
            return None
        said = (str(error).splitlines() or ["no message"])[0]
        raise ConfigError(
            f"plug-in {module}: expected a module that can be imported, got "
            f"{type(error).__name__}: {said}"
        ) from error


def _is_in(module: str, name: str | None) -> bool:
    """Whether a name is that of a module or of a package that it is in."""
    return name is not None and f"{module}.".startswith(f"{name}.")


@cache
def _found(path: tuple[str, ...], named: tuple[str, ...]) -> dict[str, Plugin]:
    """The plug-ins in use, where packages are searched for in these places."""
    origins = {**dict.fromkeys(named, OPTION), **_installed(path)}
    return {name: _plugin(name, origin) for name, origin in sorted(origins.items())}


@cache
def _installed(path: tuple[str, ...]) -> dict[str, str]:
    """The distribution that brings each plug-in. Raises ConfigError."""
    from importlib.metadata import entry_points  # slow to load

    brought: dict[str, list[str]] = {}
    for entry in entry_points(group=GROUP):
        distribution = entry.dist.name if entry.dist is not None else "unknown"
        origin = f"distribution {distribution}"
        _check_name(entry.name, origin)
        if entry.value != entry.name:
            raise ConfigError(
                f"{origin}: expected an entry point of {GROUP} that is called as the "
                f"package it names, got {entry.name} = {entry.value!r}"
            )
        brought.setdefault(entry.name, []).append(distribution)
    if twice := {name: owners for name, owners in brought.items() if len(owners) > 1}:
        name, owners = next(iter(twice.items()))
        raise ConfigError(
            f"plug-in {name}: expected one installed distribution that brings it, got "
            f"{' and '.join(sorted(owners))}; uninstall all but one"
        )
    return {name: f"distribution {owners[0]}" for name, owners in brought.items()}


def _plugin(name: str, origin: str) -> Plugin:
    """Where a package is. Raises ConfigError if it is nowhere."""
    try:
        spec = importlib.util.find_spec(name)
    except (Exception, SystemExit):  # of the package that it is in
        spec = None
    if spec is None:
        raise ConfigError(
            f"{origin}: expected a package that can be imported, got {name!r}, which "
            "is not installed"
        )
    folders = tuple(map(Path, spec.submodule_search_locations or ()))
    return Plugin(name=name, origin=origin, folders=folders)


def _check_name(name: str, origin: str) -> None:
    """Raises ConfigError for what is no name of a package from elsewhere."""
    parts = name.split(".")
    if not all(part.isidentifier() and not part.startswith("_") for part in parts):
        raise ConfigError(
            f"{origin}: expected the name of a package as it is imported, such as "
            f"my_package, got {name!r}"
        )
    if parts[0] == "cftrain":
        raise ConfigError(
            f"{origin}: expected a package from elsewhere, got {name!r}, whose classes "
            "need no plug-in"
        )
