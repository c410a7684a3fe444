"""Relations as people declare them, and the half-spaces that they are of model inputs.

A relation is said in raw units; inputs are standardised.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch

from cftrain.data.constraints import Constraints
from cftrain.data.declarations import unknown_column
from cftrain.data.encoding import Codec
from cftrain.data.kinds.imputed import ImputedColumn
from cftrain.data.relations.half_space import HalfSpace
from cftrain.data.relations.parsing import parsed
from cftrain.data.relations.relation import Relation
from cftrain.data.relations.relations import Relations
from cftrain.data.relations.rows import scales
from cftrain.errors import ConfigError, DataError

INFEASIBLE = 2
"""How scipy's linprog says that no point is within all constraints."""


def related(
    constraints: Constraints, texts: Sequence[str], codec: Codec, *, key: str
) -> Constraints:
    """Returns the constraints with relations added to those that there are.

    `key` is what mistakes call them. Raises ConfigError for relations that are none,
    for columns that have no unit, and for what nothing within the domain can obey.
    """
    before = constraints.relations
    added, mistakes = read(texts, key=key)
    mistakes += [
        f"{key}: in {relation.text!r} {mistake}"
        for relation in added
        for mistake in _column_mistakes(relation, codec)
    ]
    if mistakes:
        raise ConfigError(mistakes)
    known = () if before is None else before.declared
    declared = tuple(dict.fromkeys([*known, *added]))
    if not declared:
        return constraints
    spaces = [_half_space(relation, codec) for relation in declared]
    relations = Relations(
        declared=declared, spaces=tuple(_as_tensors(*space) for space in spaces)
    )
    found = replace(constraints, relations=relations)
    mistakes = list(_contradictions(found, key))
    if mistakes:
        raise ConfigError(mistakes)
    return found.to(dtype=constraints.lower.dtype, device=constraints.lower.device)


def read(texts: Sequence[str], *, key: str) -> tuple[list[Relation], list[str]]:
    """Returns the relations that texts say, and what is wrong with the other texts."""
    found, mistakes = [], []
    for text in texts:
        try:
            found.append(parsed(text))
        except DataError as mistake:
            mistakes.append(f"{key}: {mistake}")
    return found, mistakes


def _column_mistakes(relation: Relation, codec: Codec) -> Iterator[str]:
    known = scales(codec)
    for name in relation.columns:
        if name not in codec.inputs:
            yield unknown_column(codec, name)
        elif name not in known:
            yield (
                "expected columns of numbers or dates, got the category "
                f"{name!r}, whose levels have no unit"
            )


def _half_space(
    relation: Relation, codec: Codec
) -> tuple[list[int], np.ndarray, float, list[int]]:
    """Places, factors of unit length, bound and flags, as float64."""
    known = scales(codec)
    columns = {column.name: column for column in codec.columns}
    factors = np.array(
        [float(factor) * known[name].deviation for name, factor in relation.factors]
    )
    centre = sum(
        factor * Fraction(known[name].mean) for name, factor in relation.factors
    )
    length = float(np.linalg.norm(factors))
    flags = [
        codec.inputs[name][1]
        for name in relation.columns
        if isinstance(columns[name], ImputedColumn)
    ]
    places = [codec.inputs[name][0] for name in relation.columns]
    return places, factors / length, float(relation.bound - centre) / length, flags


def _as_tensors(
    places: list[int], factors: np.ndarray, bound: float, flags: list[int]
) -> HalfSpace:
    # A factor that is nothing beside the others has no inverse in float32.
    felt = np.abs(factors) > np.finfo(np.float32).tiny
    return HalfSpace(
        places=torch.tensor(places)[torch.from_numpy(felt)],
        factors=torch.from_numpy(factors[felt]),
        bound=torch.tensor(bound, dtype=torch.float64),
        flags=torch.tensor(flags, dtype=torch.int64),
    )


def _contradictions(constraints: Constraints, key: str) -> Iterator[str]:
    """Yields why there is no row in the box that obeys all relations, if there is none.

    Rows that miss a value may be excepted all the same.
    """
    relations = constraints.relations
    assert relations is not None, "there is nothing to contradict"
    alone = [
        relation.text
        for relation, space in zip(relations.declared, relations.spaces, strict=True)
        if not _is_feasible(constraints, (space,))
    ]
    for text in alone:
        yield (
            f"{key}: expected relations that a row within the domain can obey, got "
            f"{text!r}, which none can"
        )
    if not alone and not _is_feasible(constraints, relations.spaces):
        texts = [relation.text for relation in relations.declared]
        yield (
            f"{key}: expected relations that a row within the domain can obey "
            f"together, got {texts}, which contradict each other there"
        )


def _is_feasible(constraints: Constraints, spaces: Sequence[HalfSpace]) -> bool:
    # Here, because it takes long to import.
    from scipy.optimize import linprog

    features = len(constraints.lower)
    normals = np.zeros((len(spaces), features))
    for row, space in zip(normals, spaces, strict=True):
        row[space.places.numpy()] = space.factors.numpy()
    bounds = torch.stack([constraints.lower, constraints.upper], 1).double().cpu()
    found = linprog(
        np.zeros(features),
        A_ub=normals,
        b_ub=[float(space.bound) for space in spaces],
        bounds=bounds.numpy(),
    )
    return bool(found.status != INFEASIBLE)
