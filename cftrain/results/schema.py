"""The tables of results. Every row names its cell and the stack it was trained in."""

import pyarrow as pa

FORMAT = "2"
"""Kept in the metadata of every part file; raised when a column changes its meaning."""

_KEYS = [pa.field("cell", pa.string(), False), pa.field("stack", pa.string(), False)]


def _table(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    fields = [*_KEYS, *(pa.field(name, kind) for name, kind in columns)]
    return pa.schema(fields, metadata={"cftrain_format": FORMAT})


TEXT, NUMBER, WHOLE = pa.string(), pa.float64(), pa.int64()

CELLS = _table(
    # Cells with equal `pair` differ in their objective only.
    ("pair", TEXT),
    ("name", TEXT),
    ("data", TEXT),
    # Which copy of the data was read: "parquet", "embedded", "generated", ...
    ("data_source", TEXT),
    ("train_rows", WHOLE),
    ("test_rows", WHOLE),
    ("model", TEXT),
    ("generator", TEXT),
    ("objective", TEXT),
    ("seed", WHOLE),
    ("epochs", WHOLE),
    ("counterfactuals", WHOLE),
    ("burn_in", NUMBER),
    ("threshold", NUMBER),
    ("max_steps", WHOLE),
    ("step_size", NUMBER),
    ("epsilon", NUMBER),
    ("energy_weight", NUMBER),
    ("class_weight", NUMBER),
    ("divergence_weight", NUMBER),
    ("adversarial_weight", NUMBER),
    ("ridge_weight", NUMBER),
    # Features that may not move both ways, in training and evaluation.
    ("protected", WHOLE),
    # Hash of the evaluation: only cells of one protocol can be compared.
    ("protocol", TEXT),
    # The whole run as JSON, as `cftrain.training.run.describe` gives it.
    ("config", TEXT),
    ("status", TEXT),
    ("reason", TEXT),
    # Wall time of the whole stack.
    ("train_seconds", NUMBER),
    ("evaluate_seconds", NUMBER),
    ("stack_cells", WHOLE),
    ("cftrain_version", TEXT),
    ("torch_version", TEXT),
    ("git_revision", TEXT),
    ("created", pa.timestamp("us", tz="UTC")),
)

HISTORY = _table(
    ("epoch", WHOLE),
    ("loss", NUMBER),
    ("class_loss", NUMBER),
    ("divergence", NUMBER),
    ("adversarial_loss", NUMBER),
    ("ridge", NUMBER),
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
    # Mean integrated gradients of the test rows of a class for their own class.
    ("label", WHOLE),
    ("values", pa.list_(pa.float32())),
    ("height", WHOLE),
    ("width", WHOLE),
)

TRANSFER = _table(
    # Share of the cell's valid counterfactuals that the other cell, which differs in
    # its seed only, also predicts as their targets.
    ("other", TEXT),
    ("energy_weight", NUMBER),
    ("value", NUMBER),
    ("rows", WHOLE),
)

TABLES = {
    "cells": CELLS,
    "history": HISTORY,
    "metrics": METRICS,
    "gallery": GALLERY,
    "individuals": INDIVIDUALS,
    "attributions": ATTRIBUTIONS,
    "transfer": TRANSFER,
}
