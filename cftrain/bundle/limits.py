"""What counterfactuals are held to, in a bundle: for cftrain and for others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch

from cftrain.advice.stored_model import StoredModel
from cftrain.bundle.layout import DOMAIN, LIMITS
from cftrain.bundle.manifest import json_text
from cftrain.bundle.sealed import Sealed
from cftrain.config.ranges import Later
from cftrain.data.columns import LARGEST
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec
from cftrain.data.kinds.column import ScaledColumn
from cftrain.data.relations.declared import related
from cftrain.errors import ConfigError, DataError, ResultError
from cftrain.tensors import Vector

KINDS = {
    (True, True): "free",
    (False, False): "immutable",
    (True, False): "increase",
    (False, True): "decrease",
}
"""Mutability by whether a feature may increase and whether it may decrease."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Constraints on model inputs, and the least and largest of the observed rows.

    None is no bound. The numbers are those of float32 inputs, exactly; relations are as
    they were declared, between columns in raw units.
    """

    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    may_increase: tuple[bool, ...]
    may_decrease: tuple[bool, ...]
    groups: tuple[tuple[int, ...], ...]
    relations: Annotated[tuple[str, ...], Later(())]
    least: tuple[float, ...]
    largest: tuple[float, ...]


def write_limits(folder: Path, model: StoredModel) -> None:
    limits = model.constraints
    content = {
        "lower": [_finite(bound) for bound in limits.lower.tolist()],
        "upper": [_finite(bound) for bound in limits.upper.tolist()],
        "may_increase": limits.may_increase.tolist(),
        "may_decrease": limits.may_decrease.tolist(),
        "groups": limits.groups,
        "relations": limits.related_by,
        "least": model.least.tolist(),
        "largest": model.largest.tolist(),
    }
    (folder / LIMITS).write_text(json_text(content), encoding="utf-8")
    (folder / DOMAIN).write_text(json_text(domain(model)), encoding="utf-8")


def read_limits(files: Sealed, codec: Codec) -> tuple[Constraints, Vector, Vector]:
    """The constraints, and the box of the observed rows. Raises ResultError."""
    saved = files.build(LIMITS, Limits)
    try:
        _check(saved, codec)
        box = Constraints(
            lower=_bounds(saved.lower, -math.inf),
            upper=_bounds(saved.upper, math.inf),
            may_increase=torch.tensor(saved.may_increase),
            may_decrease=torch.tensor(saved.may_decrease),
            groups=saved.groups,
        )
        constraints = related(box, saved.relations, codec, key="relations")
    except (ConfigError, DataError) as error:
        raise ResultError(f"{files.folder / LIMITS}: {error}") from error
    least, largest = torch.tensor(saved.least), torch.tensor(saved.largest)
    return constraints, least, largest


def domain(model: StoredModel) -> dict[str, Any]:
    """Returns, for each raw column, what values it may take and how it may change."""
    limits, found = model.constraints, {}
    for column, places in zip(
        model.codec.columns, model.codec.inputs.values(), strict=True
    ):
        place = places[0]
        may = bool(limits.may_increase[place]), bool(limits.may_decrease[place])
        told: dict[str, Any] = {"mutability": KINDS[may]}
        levels = (column.scale or column).to_dict().get("levels")
        if column.scale is not None:
            for name, inputs in (
                ("domain", (limits.lower, limits.upper)),
                ("observed", (model.least, model.largest)),
            ):
                told[name] = [
                    _raw(column.scale, float(bound[place])) for bound in inputs
                ]
        if levels is not None:
            told["levels"] = levels
        found[column.name] = told
    return found


def _raw(scale: ScaledColumn, bound: float) -> Any:
    """A bound in raw units without the digits that a float32 input does not have."""
    if not math.isfinite(bound):
        return None
    return scale.decode(np.array([[bound]])).tolist()[0]


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


def _bounds(saved: Sequence[float | None], unbounded: float) -> Vector:
    return torch.tensor([unbounded if bound is None else bound for bound in saved])


def _check(saved: Limits, codec: Codec) -> None:
    """Raises DataError."""
    count = len(codec.feature_names)
    for name in ("lower", "upper", "may_increase", "may_decrease", "least", "largest"):
        if len(getattr(saved, name)) != count:
            raise DataError(
                f"{name}: expected {count} values, got {len(getattr(saved, name))}"
            )
        numbers = [number for number in getattr(saved, name) if number is not None]
        if not all(abs(number) <= LARGEST for number in numbers):
            raise DataError(f"{name}: expected numbers that 32-bit inputs can hold")
    if saved.groups != codec.groups:
        raise DataError("groups: expected the categories of the codec, got others")
    pairs = (("lower", "upper"), ("least", "largest"))
    for low, high in pairs:
        for bounds in zip(getattr(saved, low), getattr(saved, high), strict=True):
            if None not in bounds and bounds[0] > bounds[1]:
                raise DataError(f"{low}: expected at most {high}, got more")
