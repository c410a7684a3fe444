"""Keys of the configuration: what they take and mean, and their values in the files."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from cftrain.config import tree
from cftrain.config.identity import configured
from cftrain.config.names import class_called
from scripts.manual.accepted import accepted
from scripts.manual.meanings import of_fields, said


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key below its group ("optimiser.beta1"), and its value in each option."""

    path: str
    takes: str
    meaning: str
    values: dict[str, Any]


def keys_of(options: Mapping[str, Any], group: str, at: str = "") -> list[Key]:
    """Returns the keys of options of a group, or of what they have `at` a key."""
    found: dict[str, Key] = {}
    for option, node in options.items():
        file = tree.folder() / group / f"{option}.yaml"
        for path, owner, name, value in _leaves(node, class_of(node), at):
            known = found.get(path)
            meaning = _meaning(file, path, owner, name)
            found[path] = Key(
                path=path,
                takes=known.takes if known else _takes(owner, name),
                meaning=(known and known.meaning) or meaning,
                values={**(known.values if known else {}), option: value},
            )
    return list(found.values())


def keys_of_command(
    file: Path, classes: Iterable[type], values: Mapping[str, Any]
) -> list[Key]:
    """Returns the keys of a command that belong to no group, with its file's values."""
    return [
        Key(
            path=name,
            takes=_takes(cls, name),
            meaning=_meaning(file, name, cls, name),
            values={file.stem: values[name]},
        )
        for cls in classes
        for name in configured(cls)
        if name in values
    ]


def _takes(cls: type, name: str) -> str:
    return accepted(get_type_hints(cls, include_extras=True)[name])


def _leaves(node: Any, cls: type, prefix: str) -> Iterator[tuple[str, type, str, Any]]:
    """Path, owning class, name and value of each key of a node, those of nodes too."""
    for name in configured(cls):
        value = node.get(name)
        path = f"{prefix}{name}"
        inner = class_of(value)
        if inner is not None:
            yield from _leaves(value, inner, f"{path}.")
        elif not _holds_objects(value):
            yield path, cls, name, value


def class_of(value: Any) -> Any:
    """Returns the class that a node names; None for whatever else."""
    target = value.get("_target_") if isinstance(value, dict) else None
    return class_called(target) if isinstance(target, str) else None


def _holds_objects(value: Any) -> bool:
    """Whether a value maps names to objects, as `metrics` does."""
    return isinstance(value, dict) and any(map(class_of, value.values()))


def _meaning(file: Path, path: str, owner: type, name: str) -> str:
    """What the file itself says of a key, or another one of the same class, or the
    class.
    """
    here = said(file).keys.get(path, "") if file.is_file() else ""
    field = (_declaring(owner, name), name)
    return here or _elsewhere().get(field, "") or of_fields(owner).get(name, "")


@cache
def _elsewhere() -> dict[tuple[type, str], str]:
    """The first comment in the whole tree on each field, by the class that has it."""
    found: dict[tuple[type, str], str] = {}
    for file in sorted(tree.folder().rglob("*.yaml")):
        comments = said(file)
        for path, meaning in comments.keys.items():
            cls, name = comments.classes.get(path), path.rpartition(".")[2]
            if cls is not None and name in configured(cls):
                found.setdefault((_declaring(cls, name), name), meaning)
    return found


def family(cls: type) -> type:
    """Returns the class whose keys others go on with: that of the first of them."""
    names = configured(cls)
    return _declaring(cls, names[0]) if names else cls


def _declaring(cls: type, name: str) -> type:
    """The class in which a field of this class is annotated."""
    return next(each for each in cls.__mro__ if name in inspect.get_annotations(each))
