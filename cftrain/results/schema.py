"""The tables of results. Rows name their cell and the stack that was at work on it."""

import pyarrow as pa

FORMAT = "4"
"""Kept in the metadata of every part file; raised when a column changes its meaning."""

TEXT, NUMBER, WHOLE = pa.string(), pa.float64(), pa.int64()
Column = tuple[str, pa.DataType]

_OF_CELL: tuple[Column, ...] = (("cell", TEXT), ("stack", TEXT))
_OF_EVALUATION: tuple[Column, ...] = (*_OF_CELL, ("protocol", TEXT))


def _table(keys: tuple[Column, ...], *columns: Column) -> pa.Schema:
    fields = [
        *(pa.field(name, kind, False) for name, kind in keys),
        *(pa.field(name, kind) for name, kind in columns),
    ]
    return pa.schema(fields, metadata={"cftrain_format": FORMAT})


_PROVENANCE: tuple[Column, ...] = (
    # Cells of the stack, and its wall time.
    ("stack_cells", WHOLE),
    ("seconds", NUMBER),
    ("status", TEXT),
    ("reason", TEXT),
    ("cftrain_version", TEXT),
    ("torch_version", TEXT),
    ("git_revision", TEXT),
    ("created", pa.timestamp("us", tz="UTC")),
)

CELLS = _table(
    _OF_CELL,
    # Cells with equal `pair` differ in their objective only, and weigh classes alike.
    ("pair", TEXT),
    ("name", TEXT),
    ("data", TEXT),
    # Which copy of the data was read ("parquet:prepared", "embedded", "generated"),
    # and the same with a fingerprint of its content.
    ("data_source", TEXT),
    ("data_identity", TEXT),
    ("train_rows", WHOLE),
    ("test_rows", WHOLE),
    ("model", TEXT),
    ("generator", TEXT),
    ("objective", TEXT),
    ("seed", WHOLE),
    # Features that may not move both ways.
    ("protected", WHOLE),
    # Of the file with its weights; null if there are none.
    ("weights_sha256", TEXT),
    # The whole run as JSON, as `cftrain.config.identity.describe` gives it: every
    # hyperparameter is there, see `cftrain.results.leaves`.
    ("config", TEXT),
    *_PROVENANCE,
)

PROTOCOLS = _table(
    # How models were evaluated, as JSON; the id leaves out what is for pictures only.
    (("protocol", TEXT),),
    ("config", TEXT),
    ("created", pa.timestamp("us", tz="UTC")),
)

EVALUATIONS = _table(
    _OF_EVALUATION,
    # Hash of the protocol with its pictures: they may be wanted later, by themselves.
    ("pictures", TEXT),
    # Of the weights that were measured: it counts while they are those of the cell.
    ("weights_sha256", TEXT),
    *_PROVENANCE,
)

HISTORY = _table(
    _OF_CELL,
    ("epoch", WHOLE),
    ("loss", NUMBER),
    ("class_loss", NUMBER),
    ("divergence", NUMBER),
    ("adversarial_loss", NUMBER),
    ("ridge", NUMBER),
    # Null for cells without such a term.
    ("misalignment", NUMBER),
    ("attack_loss", NUMBER),
    ("squared_slope", NUMBER),
    ("recourse_loss", NUMBER),
    ("energy_gap", NUMBER),
    ("head_loss", NUMBER),
    ("head_distance", NUMBER),
    # Null for epochs and cells without counterfactuals.
    ("mature_share", NUMBER),
    ("search_steps", NUMBER),
    ("broken_rows", NUMBER),
    ("skipped_batches", NUMBER),
    ("train_accuracy", NUMBER),
    ("validation_accuracy", NUMBER),
    # Wall time of the epoch, of the whole stack.
    ("seconds", NUMBER),
)

METRICS = _table(
    _OF_EVALUATION,
    ("metric", TEXT),
    ("unit", TEXT),
    ("higher_is_better", pa.bool_()),
    # The evaluation's energy weight and round; null for metrics of the model itself.
    ("energy_weight", NUMBER),
    ("round", WHOLE),
    # Strength of the attack; null where there is none.
    ("epsilon", NUMBER),
    # Mean over `rows` rows; null if there are none.
    ("value", NUMBER),
    ("rows", WHOLE),
)

GALLERY = _table(
    _OF_EVALUATION,
    # Index of the factual among the test rows, and its label.
    ("factual", WHOLE),
    ("label", WHOLE),
    ("target", WHOLE),
    ("predicted", WHOLE),
    # The counterfactual for the target; for the factual's own label the factual.
    ("values", pa.list_(pa.float32())),
    ("height", WHOLE),
    ("width", WHOLE),
)

INDIVIDUALS = _table(
    _OF_EVALUATION,
    # Each counterfactual that was searched, once however often its factual was drawn:
    # one row for each metric that has a value of its own for every counterfactual.
    ("metric", TEXT),
    ("energy_weight", NUMBER),
    # Index of the factual among the rows of the evaluation's split.
    ("factual", WHOLE),
    ("target", WHOLE),
    # How often it was drawn, in all rounds together.
    ("draws", WHOLE),
    ("valid", pa.bool_()),
    ("value", pa.float32()),
)

ATTRIBUTIONS = _table(
    _OF_EVALUATION,
    # Mean integrated gradients of the test rows of a class for their own class.
    ("label", WHOLE),
    ("values", pa.list_(pa.float32())),
    ("height", WHOLE),
    ("width", WHOLE),
)

TRANSFER = _table(
    _OF_EVALUATION,
    # Share of the cell's valid counterfactuals that the other cell, which differs in
    # its seed only, also predicts as their targets.
    ("other", TEXT),
    ("energy_weight", NUMBER),
    ("value", NUMBER),
    ("rows", WHOLE),
)

OF_TRAINING = {"cells": CELLS, "history": HISTORY}
"""Tables of what was trained, a part for each stack; `cells` is written last."""

OF_EVALUATION = {
    "evaluations": EVALUATIONS,
    "metrics": METRICS,
    "gallery": GALLERY,
    "individuals": INDIVIDUALS,
    "attributions": ATTRIBUTIONS,
    "transfer": TRANSFER,
}
"""Tables of what was measured, a part for each stack that was evaluated together; the
rows name the protocol. `evaluations` is written last.
"""

LATER = frozenset({"head_loss", "head_distance"})
"""Columns that older versions did not write: null in what these left."""

TABLES = {**OF_TRAINING, **OF_EVALUATION, "protocols": PROTOCOLS}
