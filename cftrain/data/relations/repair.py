"""Rounded values that break a relation, moved on by whole units until they do not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cftrain.data.kinds.column import ScaledColumn
from cftrain.data.relations.relation import Relation

MOST_SWEEPS = 20
ON_GRID = 1e-6
"""Of a unit: a number this near to a multiple of it is that one."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """The measures of a column (row,), and where on its grid they may be.

    `first` and `last` are the places on the grid of the least and the largest value of
    each row; `moved` says which rows are not at their factual's value.
    """

    scale: ScaledColumn
    measures: np.ndarray
    first: np.ndarray
    last: np.ndarray
    moved: np.ndarray

    @property
    def power(self) -> float:
        """Returns how many points the grid has in a unit."""
        return 10.0**self.scale.told_decimals

    def value(self, places: np.ndarray) -> np.ndarray:
        """Returns the measures at places of the grid."""
        return np.round(places / self.power, self.scale.told_decimals) + 0.0  # no -0.0

    def written(self, measures: np.ndarray, shown: pd.Series) -> pd.Series:
        """Returns the raw values of other measures; those that are the same stay."""
        same = (measures == self.measures) | np.isnan(self.measures)
        values = self.scale.written(np.where(same, self.scale.mean, measures))
        return shown.where(same, pd.Series(values, dtype=object))


def repaired(
    rooms: Mapping[str, Room], relations: Sequence[Relation]
) -> dict[str, np.ndarray]:
    """Returns the measures of each column, moved where rows broke a relation.

    Columns that differ from their factual's go first, and of these the ones that cost
    the least. What cannot be repaired is left as it is when the sweeps are over: who
    asks has to judge it again. A missing measure stays missing.
    """
    found = {name: room.measures.copy() for name, room in rooms.items()}
    for _ in range(MOST_SWEEPS):
        broken = [_broken(relation, found) for relation in relations]
        if not any(rows.any() for rows in broken):
            break
        for relation in relations:
            _restore(relation, found, rooms)
    return found


def _broken(relation: Relation, measures: Mapping[str, np.ndarray]) -> np.ndarray:
    return relation.broken(_of(relation, measures))


def _of(relation: Relation, measures: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.stack([measures[name] for name in relation.columns], 1)


def _restore(
    relation: Relation, found: dict[str, np.ndarray], rooms: Mapping[str, Room]
) -> None:
    """Moves the columns of one relation, one after the other, while it is broken."""
    rows = np.flatnonzero(_broken(relation, found))
    for name, weight, only_moved in _turns(relation, rooms):
        if not len(rows):
            return
        room = rooms[name]
        chosen = rows[room.moved[rows]] if only_moved else rows
        own = {each: found[each][chosen] for each in relation.columns}
        over = relation.excess(_of(relation, own))
        found[name][chosen] = _stepped(own[name], over, weight, room, chosen)
        left = {each: found[each][rows] for each in relation.columns}
        rows = rows[_broken(relation, left)]


def _turns(
    relation: Relation, rooms: Mapping[str, Room]
) -> Iterator[tuple[str, float, bool]]:
    """Columns with their factors, in the order in which they are asked to move."""
    factors = [(name, float(factor)) for name, factor in relation.factors]
    factors.sort(key=lambda each: -abs(each[1]) * rooms[each[0]].scale.deviation)
    for only_moved in (True, False):
        for name, weight in factors:
            yield name, weight, only_moved


def _stepped(
    measures: np.ndarray, over: np.ndarray, weight: float, room: Room, rows: np.ndarray
) -> np.ndarray:
    """Measures of the rows after as many units as the excess asks for, and one at
    least, as far as there is room.
    """
    first, last = room.first[rows], room.last[rows]
    at = measures * room.power
    grid = np.rint(at)
    beside = np.abs(at - grid) > ON_GRID
    down = weight > 0
    grid = np.where(beside, np.ceil(at) if down else np.floor(at), grid)
    over = over + weight * (grid / room.power - measures)
    units = np.maximum(1, np.ceil(over * room.power / abs(weight) - ON_GRID))
    if down:
        end = np.maximum(grid - units, first)
        may = (end < grid) & (end <= last)
    else:
        end = np.minimum(grid + units, last)
        may = (end > grid) & (end >= first)
    stepped: np.ndarray = np.where(may, room.value(end), measures)
    return stepped
