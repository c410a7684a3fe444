"""Configurations in tables of results: JSON that may be damaged or come from others."""

import json
from typing import Any

from cftrain.errors import ResultError

LONGEST = 2**24
"""Characters of a configuration: a thousand times as many as any has. As objects of
Python they take some twenty times as much memory.
"""


def described(text: object, where: str) -> dict[str, Any]:
    """A mapping from its JSON; `where` is what the message calls it.

    Raises ResultError for anything else.
    """
    try:
        if len(text) > LONGEST:  # type: ignore[arg-type]
            raise ValueError(f"more than {LONGEST} characters")
        found = json.loads(text)  # type: ignore[arg-type]
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(
            f"{where}: expected a configuration as JSON, got {error}"
        ) from error
    if not isinstance(found, dict):
        raise ResultError(f"{where}: expected a configuration, got {str(found)[:60]!r}")
    return found
