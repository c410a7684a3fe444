"""Constraints as people declare them: by the name of a raw column, in raw units."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal, get_args

import torch
from torch import Tensor

from cftrain.data.columns import NumericColumn, listed
from cftrain.data.constraints import Constraints, inferred_domain, mutability_flags
from cftrain.data.encoding import Codec
from cftrain.errors import ConfigError
from cftrain.tensors import Table, Vector

Kind = Literal["free", "immutable", "increase", "decrease"]
GROUP_KINDS = ("free", "immutable")
Bounds = tuple[float, float]


def declared_constraints(
    pool: Table,
    codec: Codec,
    *,
    deviations: float | None,
    domain: Mapping[str, Bounds],
    mutability: Mapping[str, Kind],
) -> Constraints:
    """The constraints on model inputs; a categorical column stands for its group.

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
            mutability.get(name, "free")
            for name, inputs in codec.inputs.items()
            for _ in inputs
        ]
    )
    return Constraints(
        lower=lower,
        upper=upper,
        may_increase=increase,
        may_decrease=decrease,
        groups=codec.groups,
    )


def _box(
    pool: Table, codec: Codec, deviations: float | None, domain: Mapping[str, Bounds]
) -> tuple[Vector, Vector]:
    if deviations is None:
        upper = torch.full((pool.shape[1],), torch.inf)
        lower = -upper
    else:
        lower, upper = inferred_domain(pool, deviations)
    for name, (low, high) in domain.items():
        column, (place,) = _numeric(codec)[name]
        lower[place], upper[place] = column.scaled(low), column.scaled(high)
    return lower, upper


def _domain_mistakes(
    pool: Table, codec: Codec, domain: Mapping[str, Bounds]
) -> list[str]:
    mistakes = []
    numeric = _numeric(codec)
    for name, (low, high) in domain.items():
        where = f"data.domain.{name}"
        if name not in codec.inputs:
            mistakes.append(f"{where}: {_unknown(codec, name)}")
        elif name not in numeric:
            mistakes.append(
                f"{where}: expected a numeric column, got a categorical one, whose "
                "domain are its levels"
            )
        elif not low < high:
            mistakes.append(
                f"{where}: expected [low, high] with low < high, got [{low:g}, {high:g}]"
            )
        else:
            column, (place,) = numeric[name]
            least, most = _raw_range(column, pool[:, place])
            if high < least or low > most:
                mistakes.append(
                    f"{where}: expected bounds in raw units that hold some row of the "
                    f"pool ({least:g} to {most:g}), got [{low:g}, {high:g}]"
                )
    return mistakes


def _mutability_mistakes(codec: Codec, mutability: Mapping[str, Kind]) -> list[str]:
    mistakes = []
    numeric = _numeric(codec)
    for name, kind in mutability.items():
        where = f"data.mutability.{name}"
        if name not in codec.inputs:
            mistakes.append(f"{where}: {_unknown(codec, name)}")
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


def _numeric(codec: Codec) -> dict[str, tuple[NumericColumn, tuple[int, ...]]]:
    return {
        column.name: (column, codec.inputs[column.name])
        for column in codec.columns
        if isinstance(column, NumericColumn)
    }


def _raw_range(column: NumericColumn, scaled: Tensor) -> Bounds:
    return column.raw(float(scaled.min())), column.raw(float(scaled.max()))


def _unknown(codec: Codec, name: str) -> str:
    """What to say of a name that is no raw column."""
    group = name.partition("=")[0]
    if group in codec.inputs:
        hint = f" (a level: name the whole column, {group!r})"
    else:
        close = get_close_matches(name, codec.inputs, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"expected one of {listed(list(codec.inputs))}, got {name!r}{hint}"
