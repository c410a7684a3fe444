"""Keys of the configuration as Markdown: what each is, what it takes, its values."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from scripts.manual.keys import Key

LONGEST = 60
"""Characters of a value that is shown; longer ones are in their file."""

MOST = 3
"""Different values of a key that are shown one by one."""


def entries(
    keys: Iterable[Key],
    prefix: str,
    *,
    options: int = 1,
    place: str | None = "",
) -> str:
    """Returns a definition list; `prefix` stands before each key ("objective.").

    Keys that not all of so many `options` have name those that do. Links to a key lead
    to its name after `place`; None: there are none.
    """
    return "\n".join(_entry(key, prefix, options, place) for key in keys)


def plain(text: str) -> str:
    """Returns a comment as Markdown: keys, braces and brackets of it are code."""
    coded = re.compile(
        r"(?<![`\w])(\$?\{[^}]*\}|\[[^\]]*\])(?![`\w])|\b([a-z]+_[a-z_]+)\b"
    )
    return coded.sub(lambda found: f"`{found[0]}`", text.replace("+-", "±"))


def _entry(key: Key, prefix: str, options: int, place: str | None) -> str:
    name = f"{prefix}{key.path}"
    anchor = "" if place is None else f"{{ #{place}{name} }}"
    few = len(key.values) < options
    only = f" · only {', '.join(key.values)}" if few else ""
    return (
        f"`{name}`{anchor}\n"
        f":   {plain(key.meaning)}\n"
        f"    <br><small>{_capital(key.takes)} · {_values(key)}{only}</small>\n"
    )


def _values(key: Key) -> str:
    """The values of a key, with the options that have them where they differ."""
    by_text: dict[str, list[str]] = {}
    for option, value in key.values.items():
        by_text.setdefault(_text(value), []).append(option)
    if len(by_text) == 1:
        (text,) = by_text
        return _shown(text, "default")
    if len(by_text) > MOST:
        return "each option has its own"
    return "; ".join(_each(by_text))


def _each(by_text: dict[str, list[str]]) -> Iterator[str]:
    """Each value with its options; those of the value that most have are the others."""
    most = max(by_text, key=lambda text: len(by_text[text]))
    for text, options in by_text.items():
        if text != most:
            yield f"{', '.join(options)}: {_shown(text)}"
    many = len(by_text[most]) > 1
    yield f"{'others' if many else by_text[most][0]}: {_shown(most)}"


def _shown(text: str, before: str = "") -> str:
    if text == "???":
        return "has to be given"
    return f"{before} `{text}`".strip() if len(text) <= LONGEST else "see the file"


def _text(value: Any) -> str:
    """A value as one types it."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return value
    flow = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return flow.removesuffix("...\n").strip()


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
