"""A grid: axes over any part of a run, as configured."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Axes and what goes with them.

    `axes` maps a key of the configuration, or the name of a group, to its values; the
    grid's points are their product, the last axis running fastest. An axis listed in
    `only_with` exists only for points whose other axes have one of the given values.
    `setting` fixes further keys and groups, such as the evaluation.
    """

    name: str
    axes: dict[str, tuple[Any, ...]]
    only_with: dict[str, dict[str, tuple[Any, ...]]]
    setting: dict[str, Any]
