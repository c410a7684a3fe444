"""The options of each group as Hydra composes them, with nothing filled in.

Hydra itself takes half a second for each of a hundred options; a test holds what comes
of this against it.
"""

from pathlib import Path
from typing import Any

import yaml

from cftrain.config import tree

SELF = "_self_"


def options(group: str) -> dict[str, Any]:
    """Returns what each option puts into its group; `${...}` and `???` stay so."""
    files = sorted((tree.folder() / group).glob("*.yaml"))
    return {file.stem: composed(group, file.stem) for file in files}


def composed(group: str, option: str) -> dict[str, Any]:
    """Returns what an option and its defaults put into its group."""
    text = _file(group, option).read_text(encoding="utf-8")
    own: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    defaults = own.pop("defaults", [SELF])
    found: dict[str, Any] = {}
    for entry in defaults if SELF in defaults else [*defaults, SELF]:
        if entry == SELF:
            found = _merged(found, own)
        else:
            found = _merged(found, _included(group, entry))
    return found


def _file(group: str, option: str) -> Path:
    return tree.folder() / group / f"{option}.yaml"


def _included(group: str, entry: str | dict[str, str]) -> dict[str, Any]:
    """What an entry of a list of defaults brings, where it puts it: "base",
    "terms/base@_here_", {"space": "features"} or {"/search@way": "gradient_descent"}.
    """
    if isinstance(entry, str):
        name, _, place = entry.partition("@")
        inner, _, option = name.rpartition("/")
        return composed(f"{group}/{inner}".rstrip("/"), option)
    ((named, option),) = entry.items()
    name, _, place = named.partition("@")
    node = composed(name[1:] if name[0] == "/" else f"{group}/{name}", option)
    place = place or name.lstrip("/")
    for part in [] if place == "_here_" else reversed(place.split(".")):
        node = {part: node}
    return node


def _merged(one: Any, other: Any) -> Any:
    """Mappings are joined key by key; whatever else comes later replaces."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return one | {key: _merged(one.get(key), value) for key, value in other.items()}
