"""What `train` and `show` print: who was trained on what, and how they compare."""

from collections.abc import Iterator, Sequence
from textwrap import fill

import pandas as pd

from cftrain.errors import ResultError
from cftrain.results.described import described
from cftrain.results.leaves import value_at
from cftrain.results.store import Store
from cftrain.summary.naming import axis_name, objective_name
from cftrain.summary.reading.collection import Collection, collected
from cftrain.summary.reading.seeds import Seeds
from cftrain.summary.result_table import result_table
from cftrain.summary.statistics.comparison import Comparison, compare
from cftrain.summary.statistics.kept import kept_epoch

WIDTH = 88

SMOOTHED = 5
"""Epochs whose mean validation accuracy is looked at: single ones are noisy."""

FALL = 0.02
"""Less validation accuracy than once in the training is worth a warning."""


def report(
    store: Store, cells: Sequence[str], protocol: str, *, every: bool = False
) -> str:
    """Returns what there is to say about a cell and, if there is a second one, its
    baseline, as one protocol evaluated them. Raises ResultError if one was never
    trained.
    """
    collection = collected([store.folder], store.folder)
    absent = [cell for cell in cells if cell not in collection.cells.index]
    if absent:
        raise ResultError(f"{store.folder}: expected results of {absent}, got none")
    one = Seeds(cells=(tuple(cells),), protocol=protocol, coordinates={})
    return report_of_seeds(collection, one, every=every)


def report_of_seeds(collection: Collection, seeds: Seeds, *, every: bool) -> str:
    """Returns a header, a table and notes about models that differ in their seeds.

    Cells that failed are named as such and have no numbers. `every`: with measures that
    are variants of others.
    """
    models = collection.cells.loc[[cells[0] for cells in seeds.cells]]
    named = dict.fromkeys(cell for cells in seeds.cells for cell in cells)
    chosen = collection.cells.loc[list(named)]
    lines = [_header(models, seeds)]
    found = [_compared(collection, cells, seeds.protocol) for cells in seeds.cells]
    measured = [rows for rows in found if rows]
    if measured:
        # Where a budget has kept a baseline, both are that one.
        shown = max(seeds.cells, key=lambda cells: len(set(cells)))
        objectives = list(collection.cells.loc[list(shown), "objective"])
        lines += ["", result_table(measured, objectives, every=every), ""]
    lines += [
        f"seed {collection.cells.loc[model, 'seed']}: the baseline stands for both, "
        "since nothing better stayed within the budget"
        for model, *others in seeds.cells
        if others == [model]
    ]
    evaluations = collection.evaluations.reset_index("protocol")
    evaluations = evaluations[evaluations["protocol"] == seeds.protocol]
    lines += _notes(collection, chosen, evaluations, several=len(models) > 1)
    return "\n".join([*lines, _times(chosen, models, evaluations)])


def _header(models: pd.DataFrame, seeds: Seeds) -> str:
    model = models.iloc[0]
    epochs = value_at(described(model["config"], "a cell"), "schedule.epochs")
    numbers = ", ".join(map(str, models["seed"]))
    point = "".join(
        f", {axis_name(axis)} {value}" for axis, value in seeds.coordinates.items()
    )
    told = (
        f"{model['data']} ({model['data_source']}, {model['train_rows']} training and "
        f"{model['test_rows']} test rows), {model['model']}, {model['generator']}, "
        f"{'seed' if len(models) == 1 else 'seeds'} {numbers}, {epochs} epochs{point}"
    )
    return fill(told, WIDTH)


def _compared(
    collection: Collection, cells: Sequence[str], protocol: str | None
) -> list[Comparison]:
    """A row for each measure of a model and its baseline, none if there is no value."""
    measured = collection.measured.reset_index("protocol")
    measured = measured[measured["protocol"] == protocol]
    measured = measured[measured.index.isin(cells)]
    metrics = collection.of_evaluation("metrics", measured)
    tables = [metrics[metrics["cell"] == cell] for cell in cells]
    return compare(tables[0], tables[1] if len(cells) > 1 else metrics.iloc[:0])


def _notes(
    collection: Collection,
    chosen: pd.DataFrame,
    evaluations: pd.DataFrame,
    *,
    several: bool,
) -> Iterator[str]:
    history = collection.of_training("history", chosen.index)
    for cell, row in chosen.iterrows():
        name = objective_name(row["objective"])
        name = f"{name}, seed {row['seed']}" if several else name
        own = history[history["cell"] == cell]
        for note in (
            _strength(row),
            _training(row, own),
            _kept(row, own),
            _fall(row, own),
            _failure(str(cell), row, evaluations),
        ):
            if note is not None:
                yield f"{name}: {note}"
        if own["skipped_batches"].sum():
            yield (
                f"{name}: {own['skipped_batches'].sum():.0f} updates were skipped "
                "because a loss or a gradient was not finite"
            )


def _times(
    chosen: pd.DataFrame, models: pd.DataFrame, evaluations: pd.DataFrame
) -> str:
    """How long the models and their baselines took, which are evaluated together."""
    spent = chosen.groupby("objective", sort=False)["seconds"].sum()
    named = len(spent) > 1
    told = " and ".join(
        f"{seconds:.1f} s{f' ({objective_name(str(objective))})' * named}"
        for objective, seconds in spent.items()
    )
    evaluated = evaluations["seconds"].reindex(models.index)
    measured = (
        "" if evaluated.isna().all() else f", evaluated in {evaluated.sum():.1f} s"
    )
    return f"trained in {told}{measured}"


def _strength(cell: pd.Series) -> str | None:
    """How much of its terms an objective has; None where all, as most have."""
    config = described(cell["config"], "a cell")
    strength = value_at(config, "objective.strength", 1.0)
    return None if strength in (0, 1) else f"strength {strength:g}"


def _training(cell: pd.Series, history: pd.DataFrame) -> str | None:
    """What became of a cell's training counterfactuals; None if it had none."""
    if history["mature_share"].isna().all():
        return None
    most = value_at(described(cell["config"], "a cell"), "search.max_steps")
    return (
        f"on average over all epochs, {history['mature_share'].mean():.3f} of the "
        f"counterfactuals mature, {history['search_steps'].mean():.1f} of {most} steps"
    )


def _kept(cell: pd.Series, history: pd.DataFrame) -> str | None:
    """Which epoch's weights a model has; None where that is the last one's anyway."""
    described_cell = described(cell["config"], "a cell")
    keep = value_at(described_cell, "schedule.keep", "last")
    rows = value_at(described_cell, "data.validation_rows")
    if keep == "last" or rows is None or history.empty:
        return None
    planned = value_at(described_cell, "schedule.epochs")
    burn_in = round(value_at(described_cell, "schedule.burn_in") * planned)
    ordered = history.sort_values("epoch")["validation_accuracy"].tolist()
    epoch = kept_epoch(
        ordered,
        keep=keep,
        ignored=burn_in if burn_in < planned else 0,
        validation_rows=rows,
    )
    return (
        f"kept as it was after epoch {epoch} of {len(ordered)} (validation accuracy "
        f"{ordered[epoch - 1]:.3f}, the best is {max(ordered):.3f})"
    )


def _fall(cell: pd.Series, history: pd.DataFrame) -> str | None:
    """What to say of a model that was better before its last epochs, if it was kept."""
    keep = value_at(described(cell["config"], "a cell"), "schedule.keep", "last")
    if keep != "last":
        return None
    ordered = history.sort_values("epoch")["validation_accuracy"]
    means = ordered.rolling(SMOOTHED).mean().dropna()
    if means.empty or means.max() - means.iloc[-1] < FALL:
        return None
    epoch = history.loc[means.idxmax(), "epoch"]
    return (
        f"WARNING, validation accuracy fell from {means.max():.3f} (epoch {epoch}) to "
        f"{means.iloc[-1]:.3f}\n  schedule.keep=best keeps the best epoch, "
        "schedule.patience=10 stops ten epochs after it"
    )


def _failure(cell: str, row: pd.Series, evaluations: pd.DataFrame) -> str | None:
    """Why a cell has no numbers; None if it has some."""
    if row["status"] == "failed":
        return f"FAILED, {row['reason']}"
    if cell not in evaluations.index:
        return "NOT EVALUATED"
    if evaluations.loc[cell, "status"] == "failed":
        return f"EVALUATION FAILED, {evaluations.loc[cell, 'reason']}"
    return None
