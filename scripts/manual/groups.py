"""Groups of options as Markdown: every option, and every key."""

from collections.abc import Mapping
from typing import Any

from cftrain.config import tree
from scripts.manual.composed import options
from scripts.manual.entries import entries, plain
from scripts.manual.keys import Key, class_of, family, keys_of
from scripts.manual.meanings import said


def group(name: str) -> str:
    """Returns the options of a group, and the keys of each class that they name."""
    found = {key: node for key, node in options(name).items() if class_of(node)}
    families: dict[type, dict[str, Any]] = {}
    for option, node in found.items():
        families.setdefault(family(class_of(node)), {})[option] = node
    parts, told = [listed(name)], set[str]()
    for nodes in families.values():
        keys = keys_of(nodes, name)
        new = [key for key in keys if key.path not in told]
        told |= {key.path for key in keys}
        if len(families) > 1:
            parts.append(f"**{_code(nodes)}**")
        parts.append(_entries(keys, new, name, len(nodes)))
    return "\n\n".join(part for part in parts if part)


def _entries(keys: list[Key], new: list[Key], name: str, options: int) -> str:
    """The entries of keys; only the new ones can be linked to, once on a page."""
    prefix = f"{name.replace('/', '.')}."
    return "\n".join(
        entries([key], prefix, options=options, place="" if key in new else None)
        for key in keys
    )


def listed(name: str) -> str:
    """Returns the options of a group, each with what its file says of itself."""
    lines = [f"| `{name}=` | what it is |", "| --- | --- |"]
    for option in tree.options(name):
        about = said(tree.folder() / name / f"{option}.yaml").description
        lines.append(f"| `{option}` | {plain(about)} |")
    return "\n".join(lines)


def _code(names: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in names)
