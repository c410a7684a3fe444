"""A few stored decisions and what would change them, for a report."""

from collections.abc import Iterator
from pathlib import Path

from hydra import compose

from cftrain.advice.advice import advise
from cftrain.advice.formats.text import text
from cftrain.advice.stored import stored_model
from cftrain.commands.explain_options import advisor_of, options_of
from cftrain.config.tree import plain
from cftrain.data.told import as_given
from cftrain.errors import CftrainError, warn
from cftrain.results.store import Store
from cftrain.results.weights import weights_path
from cftrain.summary.naming import dataset_name
from cftrain.summary.reading.collection import Collection
from cftrain.summary.report_page import Example

ROWS = 3
COLUMNS = 30
"""Data of more columns, as images, are no text for people."""


def examples(collection: Collection) -> Iterator[Example]:
    """Yields the first test rows of each dataset, explained as `cftrain explain` does
    by the counterfactual model of the first seed. What cannot be restored is left out,
    with a warning.
    """
    done = collection.done
    models = done[done["objective"] == "full"].sort_values("seed", kind="stable")
    for dataset, cells in models.groupby("data", sort=False):
        cell, folder = str(cells.index[0]), Path(cells["folder"].iloc[0])
        if not weights_path(folder, cell).is_file():
            continue
        try:
            told = _told(Store(folder), cell)
        except CftrainError as error:
            warn(f"no counterfactuals of {dataset} in raw units: {error}")
            continue
        if told is not None:
            title = (
                f"Decisions on {dataset_name(str(dataset))} and what would change them"
            )
            yield Example(title=title, text=told)


def _told(store: Store, cell: str) -> str | None:
    """The lines about some test rows, None if they are no text for people."""
    words = [f"folder='{store.folder}'"]
    options = options_of(plain(compose("explain", overrides=words)))
    model = stored_model(store, cell)
    codec, rows = model.codec, model.test_rows
    if rows is None or model.image_shape is not None or len(codec.columns) > COLUMNS:
        return None
    advisor = advisor_of(model, options)
    raw = as_given(codec.decode(rows[:ROWS]), codec)
    return "\n".join(
        text(each, None) for each in advise(advisor, raw, target=None, count=1)
    )
