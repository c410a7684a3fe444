"""Stored models are measured, and what that leaves on disk."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from cftrain.config.identity import describe
from cftrain.data.dataset import Dataset
from cftrain.data.sources import cache
from cftrain.evaluation.evaluate import (
    Evaluation,
    Explained,
    evaluate,
    metric_rows,
    parts,
)
from cftrain.evaluation.gallery import Exhibit, exhibits
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, pictures_id, protocol_id, stack_id
from cftrain.results.provenance import provenance
from cftrain.results.store import Store
from cftrain.results.weights_file import weights_digest
from cftrain.seeding import Stream
from cftrain.training.restore import restored

OnPart = Callable[[int, int], None]
"""Told how many parts of an evaluation are done, and of how many."""


@dataclass(frozen=True, kw_only=True)
class EvaluatedStack:
    """Everything about it; places in the evaluation are those of `cells`."""

    stack: str
    cells: Sequence[Cell]
    dataset: Dataset
    protocol: Protocol
    evaluation: Evaluation
    exhibits: Sequence[Exhibit]
    seconds: float

    def keyed(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Rows with the id of their cell instead of its place in the stack."""
        protocol = protocol_id(self.protocol)
        for row in rows:
            cell = self.cells[row["cell"]].id
            yield {**row, "cell": cell, "stack": self.stack, "protocol": protocol}

    @property
    def shape(self) -> dict[str, int]:
        """How a row of features is shown: as an image, or flat."""
        flat = (1, self.dataset.feature_count)
        height, width = self.dataset.image_shape or flat
        return {"height": height, "width": width}


def measure(
    cells: Sequence[Cell],
    protocol: Protocol,
    dataset: Dataset,
    store: Store,
    *,
    on_part: OnPart,
) -> EvaluatedStack:
    """Evaluate stored weights: those of a moment ago are read back like any others."""
    start = time.perf_counter()
    runs = [cell.run for cell in cells]
    ids = [cell.id for cell in cells]
    digests = {cell.id: cell.weights for cell in cells if cell.weights is not None}
    models = restored(store, ids, runs, dataset, digests=digests)
    fitted = protocol.fitted(dataset, cache())
    streams = [Stream(run.seed) for run in runs]
    gallery = fitted.gallery
    total = parts(fitted, len(cells)) + (gallery is not None)
    done = count(1)
    pictures = exhibits(models.classifier, dataset, gallery) if gallery else ()
    if gallery is not None:
        on_part(next(done), total)
    found = evaluate(
        models.classifier,
        dataset,
        fitted,
        streams=streams,
        on_part=lambda: on_part(next(done), total),
    )
    return EvaluatedStack(
        stack=evaluation_id(cells, protocol),
        cells=cells,
        dataset=dataset,
        protocol=protocol,
        evaluation=found,
        exhibits=pictures,
        seconds=time.perf_counter() - start,
    )


def evaluation_id(cells: Sequence[Cell], protocol: Protocol) -> str:
    """Returns the stack of an evaluation: other pictures are another part as well."""
    ids = [cell.id for cell in cells]
    return stack_id(ids, protocol_id(protocol), pictures_id(protocol))


def write_evaluation(result: EvaluatedStack, store: Store) -> None:
    """Write what was measured, the table of evaluations last. Raises ResultError."""
    stack = result.stack
    write_protocol(result.protocol, store)
    if result.exhibits:
        shown = ({**asdict(exhibit), **result.shape} for exhibit in result.exhibits)
        store.write("gallery", stack, result.keyed(shown))
    if result.evaluation.attributions is not None:
        store.write("attributions", stack, result.keyed(_attributions(result)))
    if result.evaluation.explained:
        store.write_columns("individuals", stack, _individuals(result))
    found = metric_rows(result.evaluation, result.protocol)
    store.write("metrics", stack, result.keyed(found))
    rows = (
        {
            **_row(cell, stack, result.protocol, None),
            "stack_cells": len(result.cells),
            "seconds": result.seconds,
            "weights_sha256": weights_digest(store.folder, cell.id),
        }
        for cell in result.cells
    )
    store.write("evaluations", stack, rows)


def write_failed_evaluation(
    cell: Cell, stack: str, protocol: Protocol, reason: str, store: Store
) -> None:
    """Note that a cell could not be evaluated. Raises ResultError."""
    write_protocol(protocol, store)
    cells = store.cells(["cell", "weights_sha256"]).set_index("cell")
    row = {
        **_row(cell, stack, protocol, reason),
        "stack_cells": 1,
        "seconds": None,
        # Also where these weights cannot be read: it is their evaluation that failed.
        "weights_sha256": cells["weights_sha256"].get(cell.id),
    }
    store.write("evaluations", stack, [row])


def write_protocol(protocol: Protocol, store: Store) -> None:
    """Keep how models are evaluated, once. Raises ResultError."""
    name = protocol_id(protocol)
    if not store.path("protocols", name).is_file():  # these are never merged
        row = {
            "protocol": name,
            "config": json.dumps(describe(protocol)),
            "created": provenance()["created"],
        }
        store.write("protocols", name, [row])


def _row(
    cell: Cell, stack: str, protocol: Protocol, reason: str | None
) -> dict[str, Any]:
    return {
        "cell": cell.id,
        "stack": stack,
        "protocol": protocol_id(protocol),
        "pictures": pictures_id(protocol),
        "status": "done" if reason is None else "failed",
        "reason": reason,
        **provenance(),
    }


def _individuals(result: EvaluatedStack) -> dict[str, Any]:
    """Whole columns: there are too many rows to take one by one."""
    explained = result.evaluation.explained

    def repeated(value: Callable[[Explained], Any]) -> list[Any]:
        return [value(part) for part in explained for _ in range(len(part.factual))]

    def joined(name: str) -> np.ndarray:
        return torch.cat([getattr(part, name) for part in explained]).cpu().numpy()

    value = joined("value").astype(np.float32)
    return {
        "cell": repeated(lambda part: result.cells[part.cell].id),
        "stack": [result.stack] * len(value),
        "protocol": [protocol_id(result.protocol)] * len(value),
        "metric": repeated(lambda part: part.metric),
        "energy_weight": repeated(lambda part: part.energy_weight),
        **{name: joined(name) for name in ("factual", "target", "draws", "valid")},
        "value": pa.array(value, from_pandas=True),
    }


def _attributions(result: EvaluatedStack) -> Iterator[dict[str, Any]]:
    assert result.evaluation.attributions is not None
    for place, of_cell in enumerate(result.evaluation.attributions):
        for label, values in enumerate(of_cell.tolist()):
            yield {"cell": place, "label": label, "values": values, **result.shape}
