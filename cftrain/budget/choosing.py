"""Measures by which one may choose among models: of validation rows alone."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cftrain.budget.validation import single_round, validation_data
from cftrain.data.sources import cache
from cftrain.errors import ConfigError
from cftrain.evaluation.evaluate import evaluate
from cftrain.evaluation.protocol import Protocol
from cftrain.results.described import described
from cftrain.results.store import Store
from cftrain.seeding import Stream
from cftrain.training.restore import restore

Values = dict[str, dict[str, float]]
"""By cell and name of a metric; NaN where it has no value."""

MOST_TOGETHER = 16
"""Cells of a stack; more of them are not faster."""


def check_names(names: Sequence[str], protocol: Protocol, key: str) -> None:
    """Raises ConfigError for names of no metric of a protocol; `key` gave them."""
    for name in names:
        if name not in protocol.metrics:
            raise ConfigError(
                f"{key}: expected one of {', '.join(protocol.metrics)}, which the "
                f"evaluation measures, got {name!r}"
            )
    if not names:
        raise ConfigError(f"{key}: expected the name of a metric, got none")


def on_validation_rows(
    cells: pd.DataFrame,
    protocol: Protocol,
    names: Sequence[str],
    *,
    individuals: int,
    on_cells: Callable[[int], None] = lambda done: None,
) -> Values:
    """Returns what some metrics of a protocol are on the validation rows of each cell.

    The test rows have no part in it: counterfactuals are searched for `individuals`
    drawn from the validation rows, once and the same for all cells of a seed. A value
    is the mean over energy weights and strengths of attacks. `cells` are rows of the
    table of cells with the column `folder`, indexed by cell. Raises ResultError and
    DataError.
    """
    asked = single_round(protocol, names, individuals=individuals)
    found: Values = {}
    for (folder, seed, *_), group in _alike(cells):
        for start in range(0, len(group), MOST_TOGETHER):
            together = list(group.index[start : start + MOST_TOGETHER])
            found |= _measured(Store(Path(folder)), together, asked, int(seed))
            on_cells(len(together))
    return found


def _alike(cells: pd.DataFrame) -> "pd.api.typing.DataFrameGroupBy":
    """Cells of one folder whose seed, data and model are the same."""
    runs = [described(text, "a cell") for text in cells["config"]]
    parts = {part: [str(run.get(part)) for run in runs] for part in ("data", "model")}
    return cells.assign(_data=parts["data"], _model=parts["model"]).groupby(
        ["folder", "seed", "_data", "_model"], sort=False
    )


def _measured(
    store: Store, cells: Sequence[str], protocol: Protocol, seed: int
) -> Values:
    models = restore(store, cells)
    fitted = protocol.fitted(models.dataset, cache())
    held = validation_data(models.dataset, seed)
    streams = [Stream(seed)] * len(cells)
    found = evaluate(models.classifier, held, fitted, streams=streams)
    values: dict[tuple[int, str], list[float]] = {}
    for each in found.measurements:
        values.setdefault((each.cell, each.metric), []).append(each.value)
    return {
        cell: {name: _mean(values.get((place, name), [])) for name in protocol.metrics}
        for place, cell in enumerate(cells)
    }


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def directions(protocol: Protocol, names: Sequence[str]) -> Mapping[str, bool]:
    """Returns whether more is better, by the names of metrics."""
    return {name: protocol.metrics[name].higher_is_better for name in names}
