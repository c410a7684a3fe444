"""What is unusual about a given row: numbers that the model was never shown, and
relations that it breaks itself.
"""

from collections import defaultdict

import numpy as np

from cftrain.data.columns import NumericColumn
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec
from cftrain.data.kinds.column import ScaledColumn
from cftrain.data.relations.relations import Relations
from cftrain.data.relations.rows import breaches
from cftrain.data.told import Told

ON_GRID = 1e-3
"""Of a unit in the last place."""


def unusual(
    rows: Told,
    codec: Codec,
    domain: Constraints | None,
    relations: Relations | None,
    *,
    together: bool = False,
) -> dict[int, list[str]]:
    """Returns, by row, what to say of numbers outside the domain of the training, if
    that is given, and of relations that the row itself breaks.

    With `together`, numbers (of pixels, hundreds of them) are counted instead.
    """
    notes = {} if domain is None else _outside(rows, codec, domain)
    if together:
        notes = {row: [_counted(texts)] for row, texts in notes.items()}
    for row, broken in breaches(rows.raw, relations, codec).items():
        notes.setdefault(row, []).extend(
            f"the row itself breaks {text}, which every answer obeys" for text in broken
        )
    return notes


def _outside(
    rows: Told, codec: Codec, constraints: Constraints
) -> dict[int, list[str]]:
    notes: dict[int, list[str]] = defaultdict(list)
    for column, inputs in zip(codec.columns, codec.inputs.values(), strict=True):
        scale = column.scale
        if scale is None:
            continue
        low = float(constraints.lower[inputs[0]])
        high = float(constraints.upper[inputs[0]])
        values = rows.inputs[:, inputs[0]]
        for row in ((values < low) | (values > high)).nonzero()[:, 0].tolist():
            domain = _bounds(scale, low, high)
            notes[row].append(
                f"{column.name} {rows.raw[column.name].iloc[row]} is outside {domain}, "
                "the domain of the training"
            )
    return dict(notes)


def _counted(texts: list[str]) -> str:
    first, *others = texts
    return f"{first}; so are {len(others)} other values" if others else first


def _bounds(scale: ScaledColumn, low: float, high: float) -> str:
    """The first and the last value inside that can be written: 16 to 73, not 15.65."""
    power = 10.0**scale.told_decimals
    # What was rounded to float32 on its way here may be a value that can be written.
    first = np.ceil(scale.raw(low) * power - ON_GRID) / power
    last = np.floor(scale.raw(high) * power + ON_GRID) / power
    if np.isinf(first):
        return f"{_text(scale, last)} or less"
    if np.isinf(last):
        return f"{_text(scale, first)} or more"
    return f"{_text(scale, first)} to {_text(scale, last)}"


def _text(scale: ScaledColumn, bound: float) -> str:
    if isinstance(scale, NumericColumn):
        return f"{bound + 0.0:.10g}"  # no -0
    return str(scale.written(np.array([bound]))[0])
