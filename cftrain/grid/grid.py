"""A grid: axes over any part of a run, as configured."""

from dataclasses import dataclass
from typing import Any

from cftrain.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Axes and what goes with them.

    `axes` maps a key of the configuration, or the name of a group, to its values; the
    grid's points are their product, the last axis running fastest. An axis listed in
    `only_with` exists only for points whose other axes have one of the given values.
    `fixed` gives further keys and groups one value, such as the evaluation. `tied` keys
    have the value of another key in every point: `data.draw_seed: seed`.
    """

    name: str
    axes: dict[str, tuple[Any, ...]]
    only_with: dict[str, dict[str, tuple[Any, ...]]]
    fixed: dict[str, Any]
    tied: dict[str, str]

    def __post_init__(self) -> None:
        mistakes = [
            f"grid.only_with.{axis}: expected axes of the grid "
            f"({', '.join(self.axes) or 'none'}), got {name!r}"
            for axis, conditions in self.only_with.items()
            for name in (axis, *conditions)
            if name not in self.axes
        ]
        mistakes += [
            f"grid.axes.{axis}: expected at least one value, got none"
            for axis, values in self.axes.items()
            if not values
        ]
        if mistakes:
            raise ConfigError(mistakes)


@dataclass(frozen=True, kw_only=True)
class Tuning(Grid):
    """A grid among whose points one is to be chosen: by `best`, the name of a metric
    of its evaluation, measured on validation rows.
    """

    best: str
