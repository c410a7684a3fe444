"""A grid: axes over any part of a run, as configured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from cftrain.config.ranges import Usual
from cftrain.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Axes and what goes with them.

    `axes` maps a key of the configuration, or the name of a group, to its values; the
    grid's points are their product, the last axis running fastest. An axis listed in
    `only_with` exists only for points whose other axes have one of the given values.
    `fixed` gives further keys and groups one value, such as the evaluation. `tied` keys
    have the value of another key in every point: `data.draw_seed: seed`. Where an axis
    has a value, whatever it has `along` is set as well, instead of what is `fixed`:
    `objective: {counternet: {model: counternet}}`.
    """

    name: str
    axes: dict[str, tuple[Any, ...]]
    only_with: dict[str, dict[str, tuple[Any, ...]]]
    fixed: dict[str, Any]
    tied: dict[str, str]
    along: Annotated[dict[str, dict[str, dict[str, Any]]], Usual({})]

    def __post_init__(self) -> None:
        mistakes = [
            f"grid.only_with.{axis}: expected axes of the grid "
            f"({', '.join(self.axes) or 'none'}), got {name!r}"
            for axis, conditions in self.only_with.items()
            for name in (axis, *conditions)
            if name not in self.axes
        ]
        mistakes += [
            f"grid.along: expected axes of the grid, got {axis!r}"
            for axis in self.along
            if axis not in self.axes
        ]
        mistakes += [
            f"grid.axes.{axis}: expected at least one value, got none"
            for axis, values in self.axes.items()
            if not values
        ]
        if mistakes:
            raise ConfigError(mistakes)

    @property
    def set_along(self) -> set[str]:
        """Returns the keys and groups that go along with some value."""
        values = (each for of_axis in self.along.values() for each in of_axis.values())
        return {key for each in values for key in each}

    def chosen(self, coordinates: Mapping[str, Any]) -> dict[str, Any]:
        """Returns all keys and groups that have a value in a point, axes last."""
        along: dict[str, Any] = {}
        for axis, of_axis in self.along.items():
            along |= of_axis.get(str(coordinates[axis]), {})
        there = {key: v for key, v in coordinates.items() if v is not None}
        return {**self.fixed, **along, **there}


@dataclass(frozen=True, kw_only=True)
class Tuning(Grid):
    """A grid among whose points one is to be chosen: by `best`, the name of a metric
    of its evaluation, measured on validation rows.
    """

    best: str
