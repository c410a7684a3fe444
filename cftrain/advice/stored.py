"""A model to explain from a folder with results, its data read again."""

from collections.abc import Collection

import pandas as pd

from cftrain.advice.stored_model import StoredModel
from cftrain.errors import ResultError
from cftrain.evaluation.reference import Reference
from cftrain.models.stack_slicing import frozen
from cftrain.results.replicates import replicate_key
from cftrain.results.store import Store
from cftrain.training.restore import restore

BASELINE = "vanilla"


def stored_model(store: Store, cell: str) -> StoredModel:
    """Returns a stored model with the models of other seeds beside it.

    Raises ResultError and DataError.
    """
    others = replicates(store.cells(), cell)
    models = restore(store, [cell, *others])
    data = models.dataset
    return StoredModel(
        model=frozen(models.classifier, slice(0, 1)),
        others=frozen(models.classifier, slice(1, None)) if others else None,
        run=models.runs[0],
        data=data.name,
        codec=data.units,
        constraints=data.constraints,
        class_names=data.class_names,
        image_shape=data.image_shape,
        least=data.features.amin(0),
        largest=data.features.amax(0),
        reference=Reference(data.features, data.labels, data.classes),
        test_rows=data.test_features,
    )


def chosen_cell(
    cells: pd.DataFrame, wanted: str | None, given_up: Collection[str] = ()
) -> pd.Series:
    """Returns the cell whose id begins as wanted, else the last one that was trained
    with counterfactuals, else the last one: of those that no budget has `given_up`, if
    there are others. Raises ResultError.
    """
    done = cells[cells["status"] == "done"]
    left = done[~done["cell"].isin(given_up)]
    if wanted is not None:
        done = done[done["cell"].str.startswith(wanted)]
    elif len(left):
        done = left
    if wanted is None and (done["objective"] != BASELINE).any():
        done = done[done["objective"] != BASELINE]
    if done.empty:
        raise ResultError(
            f"expected a trained model{'' if wanted is None else f' called {wanted}'}, "
            "got none; name a folder of results in which one was trained"
        )
    # Of equal times, as those of one stack, the first seed.
    return done.sort_values(["created", "seed"], ascending=[False, True]).iloc[0]


def replicates(cells: pd.DataFrame, cell: str) -> list[str]:
    """Returns the cells that differ from it in their seeds alone."""
    done = cells[cells["status"] == "done"].set_index("cell")
    key = replicate_key(done.loc[cell])
    return [
        other
        for other, row in done.iterrows()
        if other != cell and replicate_key(row) == key
    ]
