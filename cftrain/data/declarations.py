"""Constraints as people declare them: by the name of a raw column, in raw units."""

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal, get_args

import torch

from cftrain.data.columns import listed
from cftrain.data.constraints import Constraints, inferred_domain, mutability_flags
from cftrain.data.encoding import Codec
from cftrain.data.kinds.column import Column, ScaledColumn
from cftrain.data.kinds.imputed import ImputedColumn
from cftrain.errors import ConfigError
from cftrain.tensors import Features, Vector

Kind = Literal["free", "immutable", "increase", "decrease"]
LARGEST = torch.finfo(torch.float32).max
GROUP_KINDS = ("free", "immutable")
Bounds = tuple[float | None, float | None]
"""Low and high, in raw units; None: no bound."""


def declared_constraints(
    pool: Features,
    codec: Codec,
    *,
    deviations: float | None,
    domain: Mapping[str, Bounds],
    mutability: Mapping[str, Kind],
) -> Constraints:
    """Returns constraints on model inputs; a category stands for its one-hot group.

    The domain of a column is the explicit one, else the one inferred from the pool, or
    none if `deviations` is None. Columns that `mutability` does not name are free.
    Raises ConfigError with all mistakes at once.
    """
    mistakes = [*_domain_mistakes(pool, codec, domain)]
    mistakes += _mutability_mistakes(codec, mutability)
    if mistakes:
        raise ConfigError(mistakes)
    lower, upper = _box(pool, codec, deviations, domain)
    increase, decrease = mutability_flags(
        [
            kind
            for column in codec.columns
            for kind in _kinds(column, mutability.get(column.name, "free"))
        ]
    )
    return Constraints(
        lower=lower,
        upper=upper,
        may_increase=increase,
        may_decrease=decrease,
        groups=codec.groups,
    )


def _kinds(column: Column, kind: Kind) -> list[Kind]:
    """The mutability of each input: what is missing may become known, never lost."""
    if isinstance(column, ImputedColumn):
        return [kind, "immutable" if kind == "immutable" else "decrease"]
    return [kind] * len(column.feature_names)


def _box(
    pool: Features, codec: Codec, deviations: float | None, domain: Mapping[str, Bounds]
) -> tuple[Vector, Vector]:
    if deviations is None:
        upper = torch.full((pool.shape[1],), torch.inf)
        lower = -upper
    else:
        lower, upper = inferred_domain(pool, deviations)
    numeric = _numeric(codec)
    for name, bounds in domain.items():
        scale, place = numeric[name]
        low, high = _interval(bounds)
        lower[place], upper[place] = scale.scaled(low), scale.scaled(high)
    for column in codec.columns:
        if isinstance(column, ImputedColumn):
            flag = codec.inputs[column.name][1]
            lower[flag], upper[flag] = 0.0, 1.0
    return lower, upper


def _interval(bounds: Bounds) -> tuple[float, float]:
    low, high = bounds
    return -math.inf if low is None else low, math.inf if high is None else high


def _domain_mistakes(
    pool: Features, codec: Codec, domain: Mapping[str, Bounds]
) -> list[str]:
    mistakes = []
    numeric = _numeric(codec)
    least, most = pool.amin(0).tolist(), pool.amax(0).tolist()
    for name, bounds in domain.items():
        where = f"data.domain.{name}"
        low, high = _interval(bounds)
        if name not in codec.inputs:
            mistakes.append(f"{where}: {unknown_column(codec, name)}")
        elif name not in numeric:
            mistakes.append(
                f"{where}: expected a numeric column, got a categorical one, whose "
                "domain are its levels"
            )
        elif not low < high:
            mistakes.append(
                f"{where}: expected bounds with low < high, got [{low:g}, {high:g}]"
            )
        elif beyond := [
            bound for bound in bounds if not _is_held(bound, numeric[name])
        ]:
            mistakes.append(
                f"{where}: expected bounds that 32-bit inputs can hold, or null for "
                f"none, got {beyond[0]:g}"
            )
        else:
            scale, place = numeric[name]
            seen = scale.raw(least[place]), scale.raw(most[place])
            if high < seen[0] or low > seen[1]:
                mistakes.append(
                    f"{where}: expected bounds in raw units that hold some row of the "
                    f"pool ({seen[0]:g} to {seen[1]:g}), got [{low:g}, {high:g}]"
                )
    return mistakes


def _is_held(bound: float | None, column: tuple[ScaledColumn, int]) -> bool:
    return bound is None or abs(column[0].scaled(bound)) <= LARGEST


def _mutability_mistakes(codec: Codec, mutability: Mapping[str, Kind]) -> list[str]:
    mistakes = []
    numeric = _numeric(codec)
    for name, kind in mutability.items():
        where = f"data.mutability.{name}"
        if name not in codec.inputs:
            mistakes.append(f"{where}: {unknown_column(codec, name)}")
        elif kind not in get_args(Kind):
            mistakes.append(
                f"{where}: expected one of {', '.join(get_args(Kind))}, got {kind!r}"
            )
        elif name not in numeric and kind not in GROUP_KINDS:
            mistakes.append(
                f"{where}: expected one of {', '.join(GROUP_KINDS)} for a categorical "
                f"column, whose levels have no order, got {kind!r}"
            )
    return mistakes


def _numeric(codec: Codec) -> dict[str, tuple[ScaledColumn, int]]:
    """Columns with a scale and the places of the inputs on it."""
    return {
        column.name: (column.scale, codec.inputs[column.name][0])
        for column in codec.columns
        if column.scale is not None
    }


def unknown_column(codec: Codec, name: str) -> str:
    """Returns what to say of a name that is no raw column."""
    group = name.partition("=")[0]
    if group in codec.inputs:
        hint = f" (a level: name the whole column, {group!r})"
    else:
        close = get_close_matches(name, codec.inputs, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"expected one of {listed(list(codec.inputs))}, got {name!r}{hint}"
