"""What keys mean: the comments of a file of options, and the docstrings of fields."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from cftrain.config.names import class_called


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the comments of a file say: of itself, and of its keys ("search.epsilon").

    `classes` has the class that the node of a key names, for keys of such nodes.
    """

    description: str
    keys: dict[str, str]
    classes: dict[str, type]


@cache
def said(path: Path) -> Said:
    """Returns what the comments of a YAML file say.

    A comment is about the key in its line or the one below it; the one at the
    start of a file is about the file.
    """
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    root = yaml.compose(text, yaml.CSafeLoader)
    keys: dict[str, str] = {}
    classes: dict[str, type] = {}
    if isinstance(root, yaml.MappingNode):
        _read(root, "", lines, keys, classes)
    return Said(description=_first(lines), keys=keys, classes=classes)


@cache
def of_fields(cls: type) -> dict[str, str]:
    """Returns the docstrings below the fields of a class and of its ancestors."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.startswith("cftrain."):
            found |= dict(_documented(each))
    return found


def docstring(cls: type) -> str:
    """Returns the first paragraph of what a class says of itself."""
    return " ".join((cls.__doc__ or "").partition("\n\n")[0].split())


def _documented(cls: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, text in zip(body.body, body.body[1:], strict=False):
        told = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and told:
            assert isinstance(field.target, ast.Name)
            yield field.target.id, " ".join(str(text.value.value).split())


def _read(
    node: yaml.MappingNode,
    prefix: str,
    lines: list[str],
    keys: dict[str, str],
    classes: dict[str, type],
) -> None:
    cls = _class(node)
    for key, value in node.value:
        name, line = f"{prefix}{key.value}", key.start_mark.line
        if meaning := f"{_above(lines, line)} {_beside(lines[line])}".strip():
            keys[name] = meaning
        if cls is not None:
            classes[name] = cls
        if isinstance(value, yaml.MappingNode):
            _read(value, f"{name}.", lines, keys, classes)


def _class(node: yaml.MappingNode) -> type | None:
    for key, value in node.value:
        if key.value == "_target_":
            found: type | None = class_called(value.value)
            return found
    return None


def _beside(line: str) -> str:
    """The comment at the end of a line."""
    return line.partition(" #")[2].strip() if '"' not in line else ""


def _above(lines: list[str], line: int) -> str:
    """The comment that ends above a line, unless it is the one of the file."""
    first = line
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return _joined(lines[first:line]) if first > 0 else ""


def _first(lines: list[str]) -> str:
    found = [line for line in lines if not line.startswith("# @package")]
    count = next((i for i, line in enumerate(found) if line[:1] != "#"), len(found))
    return _joined(found[:count])


def _joined(comments: list[str]) -> str:
    return " ".join(line.strip().lstrip("#").strip() for line in comments)
