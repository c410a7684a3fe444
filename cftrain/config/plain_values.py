"""Numbers, texts and choices as files have them, and what is expected of each."""

import math
from typing import Any, Literal, get_args, get_origin

from cftrain.config.hints import closest
from cftrain.config.ranges import Range
from cftrain.errors import shown

LIMIT = 2**63
"""Whole numbers are less: tensors and tables have no larger ones."""

BAD = object()
"""Stands for a value that was a mistake; nobody gets to see it who builds something."""


def build_plain(
    value: Any, kind: Any, ranges: tuple[Any, ...], key: str, mistakes: list[str]
) -> Any:
    """Returns a value of a kind within ranges, or `BAD` after noting the mistake."""
    if get_origin(kind) is Literal:
        options = get_args(kind)
        if value in options:
            return value
        expected = "one of " + ", ".join(map(str, options)) + closest(value, options)
    elif kind is float and type(value) in (int, float) and _is_finite(value):
        value, expected = float(value), ""
    elif kind is int and type(value) is int and not -LIMIT <= value < LIMIT:
        expected = "a whole number of at most 64 bits"
    elif type(value) is kind and kind is not float:
        expected = ""
    else:
        expected = _NAMES.get(kind, str(kind))
        if kind in (int, float) and ranges:
            expected = _worded(ranges[0], kind)
    if not expected:
        broken = [_worded(r, kind) for r in ranges if not r.holds(value)]
        if not broken:
            return value
        expected = " and ".join(broken)
    mistakes.append(f"{key}: expected {expected}, got {shown(value)}")
    return BAD


def _is_finite(value: float) -> bool:
    """Whether a number is finite as a float, which large whole numbers are not."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _worded(expected: Range, kind: Any) -> str:
    return str(expected).replace(
        "a number", "a whole number" if kind is int else "a number"
    )


_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "a text",
}
