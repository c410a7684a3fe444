"""Counterfactuals as people read them: raw values, and the inputs of just these.

A decoded and rounded counterfactual is another row than the one that was searched. So
what is printed is encoded again, and only that row is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cftrain.data.columns import MISSING
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec
from cftrain.data.kinds.column import ScaledColumn
from cftrain.data.relations.relations import Relations
from cftrain.data.relations.repair import Room, repaired
from cftrain.data.relations.rows import scales
from cftrain.tensors import Features

SURE, SURE_OFF_GRID = 0.1, 0.001
"""Of a unit in the last place: up to this error, a bound beside a unit is that one.

Numbers that are on no grid have bounds on none either, unless these are seen to be.
"""


@dataclass(frozen=True, kw_only=True)
class Told:
    """Raw rows as they are printed, and the model inputs of exactly these values."""

    raw: pd.DataFrame
    inputs: Features

    def __len__(self) -> int:
        return len(self.inputs)

    def at(self, rows: Tensor) -> "Told":
        """Returns the rows at these places."""
        raw = self.raw.iloc[rows.numpy()].reset_index(drop=True)
        return Told(raw=raw, inputs=self.inputs[rows])

    def with_columns(self, chosen: Tensor, other: "Told", columns: Tensor) -> "Told":
        """Returns the rows with the other's columns where `chosen` (row, column).

        `columns` has, for every model input, the place of its column.
        """
        return Told(
            raw=self.raw.mask(chosen.numpy(), other.raw),
            inputs=torch.where(chosen[:, columns], other.inputs, self.inputs),
        )


def as_given(raw: pd.DataFrame, codec: Codec) -> Told:
    """Returns raw rows with their inputs. Raises DataError."""
    inputs = codec.encode(raw)
    names = [column.name for column in codec.columns]
    # Objects: a row may take a whole number here and a broken one there.
    values = raw[names].astype(object).reset_index(drop=True)
    return Told(raw=values.where(values.notna(), None), inputs=inputs)


def told(
    found: Features, factual: Told, codec: Codec, constraints: Constraints
) -> Told:
    """Returns counterfactuals (row, feature) as they can be written down.

    Numbers get the decimals of their column, whole numbers stay whole, and nothing
    leaves its bounds or turns against its direction by being rounded. A column that did
    not move, or by less than can be told, keeps the factual's own value, unless it has
    to move for a relation that others break when they are rounded.
    """
    shown: dict[str, pd.Series] = {}
    moved: dict[str, np.ndarray] = {}
    limits: dict[str, _Limits] = {}
    decoded = codec.decode(found)
    for column, inputs in zip(codec.columns, codec.inputs.values(), strict=True):
        places = list(inputs)
        same = (found[:, places] == factual.inputs[:, places]).all(1).numpy()
        before = factual.raw[column.name]
        values = decoded[column.name].to_numpy()
        scale = column.scale
        if scale is not None:
            searched = scale.raw(found[:, inputs[0]].double().numpy())
            start = scale.known_measures(before)
            own = limits[column.name] = _limits(scale, inputs[0], start, constraints)
            values = scale.written(_rounded(searched, scale, own))
            same |= _too_near(searched, start, scale.told_decimals, own)
        else:  # nobody is told to say less
            same |= (values == MISSING) & before.notna().to_numpy()
        shown[column.name] = before.where(same, pd.Series(values, dtype=object))
        moved[column.name] = ~same
    if constraints.relations is not None:
        shown |= _obeying(shown, moved, limits, constraints.relations, codec)
    return as_given(pd.DataFrame(shown), codec)


@dataclass(frozen=True, kw_only=True)
class _Limits:
    """Bounds of every row in raw units, and how far they may be off.

    They were rounded to float32 on their way here. A bound that is the row's own value
    is off by no more than the product with a power of ten.
    """

    low: np.ndarray
    high: np.ndarray
    low_error: np.ndarray
    high_error: np.ndarray


def _limits(
    column: ScaledColumn, place: int, start: np.ndarray, constraints: Constraints
) -> _Limits:
    """The bounds of the domain, and a row's own value where it may not move that way.

    A row that starts outside the domain may stay where it is, but wherever it moves is
    inside.
    """
    lower, upper = constraints.lower[place].numpy(), constraints.upper[place].numpy()
    low = np.full_like(start, column.raw(float(lower)))
    high = np.full_like(start, column.raw(float(upper)))
    up = bool(constraints.may_increase[place])
    down = bool(constraints.may_decrease[place])
    low_error = np.full_like(start, column.deviation * _spacing(lower))
    high_error = np.full_like(start, column.deviation * _spacing(upper))
    there = ~np.isnan(start)  # what is missing has no direction
    below, above = start < low - low_error, start > high + high_error
    own_low = there & np.where(below, not up, not down)
    own_high = there & np.where(above, not down, not up)
    tiny = 4 * np.spacing(np.abs(start))
    return _Limits(
        low=np.where(own_low, start, low),
        high=np.where(own_high, start, high),
        low_error=np.where(own_low, tiny, low_error),
        high_error=np.where(own_high, tiny, high_error),
    )


def _spacing(bound: np.ndarray) -> float:
    """Between float32 numbers there; none of an infinite bound."""
    return float(np.spacing(np.abs(bound))) if np.isfinite(bound) else 0.0


def _too_near(
    searched: np.ndarray, start: np.ndarray, decimals: int, limits: _Limits
) -> np.ndarray:
    """Which rows moved by less than half a unit in the last place, and may stay."""
    near = np.abs(searched - start) * 10.0**decimals < 0.5
    inside: np.ndarray = (limits.low <= start) & (start <= limits.high)
    return near & inside


def _rounded(searched: np.ndarray, column: ScaledColumn, limits: _Limits) -> np.ndarray:
    """The nearest value within the bounds that has the column's decimals."""
    power = 10.0**column.told_decimals
    first, last = _ends(column, limits)
    grid = np.clip(np.rint(searched * power), first, np.maximum(first, last)) / power
    # Between two places of the grid: a bound may be off, so it is not reached.
    inside = np.clip(
        searched, limits.low + limits.low_error, limits.high - limits.high_error
    )
    values: np.ndarray = np.where(first <= last, grid, inside)
    return values + 0.0  # no -0.0


def _ends(column: ScaledColumn, limits: _Limits) -> tuple[np.ndarray, np.ndarray]:
    """The places of the first and the last value on the grid that is within the bounds.

    Bounds are written with few digits: one that may be a unit is that unit, as long as
    it could not as well be several; else the unit has to be surely inside.
    """
    power = 10.0**column.told_decimals
    sure = SURE_OFF_GRID if column.decimals is None else SURE
    slack_low, slack_high = (
        np.where(error * power < sure, error, -error) * power
        for error in (limits.low_error, limits.high_error)
    )
    return (
        np.ceil(limits.low * power - slack_low),
        np.floor(limits.high * power + slack_high),
    )


def _obeying(
    shown: Mapping[str, pd.Series],
    moved: Mapping[str, np.ndarray],
    limits: Mapping[str, _Limits],
    relations: Relations,
    codec: Codec,
) -> dict[str, pd.Series]:
    """The columns of relations with values that obey them, as far as these may move."""
    rooms = {}
    for name, scale in scales(codec).items():
        if name in relations.columns:
            first, last = _ends(scale, limits[name])
            rooms[name] = Room(
                scale=scale,
                measures=scale.known_measures(shown[name]),
                first=first,
                last=last,
                moved=moved[name],
            )
    measures = repaired(rooms, relations.declared)
    return {
        name: room.written(measures[name], shown[name]) for name, room in rooms.items()
    }
