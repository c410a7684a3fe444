"""Configurations in tables of results: JSON that may be damaged or come from others."""

import json
from typing import Any

from cftrain.errors import ResultError


def described(text: object, where: str) -> dict[str, Any]:
    """A mapping from its JSON; `where` is what the message calls it.

    Raises ResultError for anything else.
    """
    try:
        found = json.loads(text)  # type: ignore[arg-type]
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(
            f"{where}: expected a configuration as JSON, got {error}"
        ) from error
    if not isinstance(found, dict):
        raise ResultError(f"{where}: expected a configuration, got {str(found)[:60]!r}")
    return found
