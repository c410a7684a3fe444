"""Raw rows held against relations, exactly as they are written."""

import numpy as np
import pandas as pd

from cftrain.data.columns import NumericColumn
from cftrain.data.encoding import Codec
from cftrain.data.kinds.column import ScaledColumn
from cftrain.data.kinds.dates import DateColumn
from cftrain.data.relations.relation import Relation
from cftrain.data.relations.relations import Relations
from cftrain.errors import DataError

MEASURED = (NumericColumn, DateColumn)
"""Columns that have a unit; dates count in days. The places of levels have none."""


def scales(codec: Codec) -> dict[str, ScaledColumn]:
    """Returns the columns that relations may be between."""
    return {
        column.name: column.scale
        for column in codec.columns
        if isinstance(column.scale, MEASURED)
    }


def broken_by(
    raw: pd.DataFrame, relations: Relations | None, codec: Codec
) -> np.ndarray:
    """Returns which raw rows break which relations: (row, relation).

    A row that misses a value of a relation does not break it.
    """
    if relations is None:
        return np.zeros((len(raw), 0), dtype=np.bool_)
    known = scales(codec)
    return np.stack(
        [_broken(raw, relation, known) for relation in relations.declared], 1
    )


def breaches(
    raw: pd.DataFrame, relations: Relations | None, codec: Codec
) -> dict[int, list[str]]:
    """Returns, by row, the relations that it breaks; rows that break none are left
    out.
    """
    found: dict[int, list[str]] = {}
    if relations is not None:
        for row, place in np.argwhere(broken_by(raw, relations, codec)).tolist():
            found.setdefault(row, []).append(relations.declared[place].text)
    return found


def check_rows(raw: pd.DataFrame, relations: Relations, codec: Codec) -> None:
    """Raises DataError if some rows of a table break a relation."""
    broken = broken_by(raw, relations, codec)
    mistakes = []
    for place, relation in enumerate(relations.declared):
        rows = np.flatnonzero(broken[:, place])
        if len(rows):
            first = raw.index[rows].min()
            values = raw.loc[first, list(relation.columns)].to_dict()
            mistakes.append(
                f"data.relations: expected rows with {relation.text}, got {len(rows)} "
                f"of {len(raw)} that break it, the first row {first} (counted from "
                f"0) with {values}; mend them, leave the relation out, or let them be "
                "with data.broken_relations=keep"
            )
    if mistakes:
        raise DataError("\n".join(mistakes))


def _broken(
    raw: pd.DataFrame, relation: Relation, known: dict[str, ScaledColumn]
) -> np.ndarray:
    measures = [known[name].known_measures(raw[name]) for name in relation.columns]
    return relation.broken(np.stack(measures, 1))
