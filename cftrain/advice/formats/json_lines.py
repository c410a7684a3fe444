"""Advice as a line of JSON for each row, or an overview as one."""

import json
from typing import Any

from cftrain.advice.advice import Advice
from cftrain.advice.overview.overview import Overview

OPTIONAL = ("cutoff", "name")


def json_line(told: Advice | Overview) -> str:
    """Returns all that is told; `cutoff` and `name` are there if there is one."""
    return json.dumps(told, default=_values, ensure_ascii=False)


def _values(part: Any) -> dict[str, Any]:
    values = vars(part)
    return {k: v for k, v in values.items() if v is not None or k not in OPTIONAL}
