"""Marks in pages, such as `<!-- keys of objective -->`, and what takes their place."""

import re
from collections.abc import Callable

from scripts.manual.commands import command
from scripts.manual.groups import group, listed
from scripts.manual.metrics import metrics

MARK = re.compile(
    r"^<!-- (?P<what>keys|options|command|metrics)(?: of (?P<name>\S+))? -->$",
    re.MULTILINE,
)

FILLING: dict[str, Callable[[str], str]] = {
    "keys": group,
    "options": listed,
    "command": command,
    "metrics": lambda _: metrics(),
}


def filled_in(markdown: str) -> str:
    """Returns a page with its generated parts. Raises KeyError."""
    return MARK.sub(lambda found: FILLING[found["what"]](found["name"]), markdown)
