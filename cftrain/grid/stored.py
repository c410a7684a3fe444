"""Cells and protocols of a results folder, built again from what is stored."""

from collections.abc import Iterable

import pandas as pd

from cftrain.config.build import build_object
from cftrain.errors import ConfigError, ResultError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell
from cftrain.results.checking import of_cell
from cftrain.results.described import described
from cftrain.results.store import Store
from cftrain.training.run import rebuild


def stored_cells(rows: pd.DataFrame) -> list[Cell]:
    """The cells of some rows of the table of cells. Raises ResultError if cftrain does
    not know a class or a value of them any more.
    """
    cells = []
    for row in rows.to_dict("records"):
        try:
            run = rebuild(of_cell(row))
        except ConfigError as error:
            raise ResultError(
                f"cell {row['cell']}: expected a run of this version of cftrain, got "
                f"one of version {row['cftrain_version']} ({row['git_revision']}): "
                f"{error}"
            ) from error
        cells.append(
            Cell(id=row["cell"], pair=row["pair"], data=row["data_identity"], run=run)
        )
    return cells


def stored_protocol(store: Store, name: str) -> Protocol:
    """The protocol of that id. Raises ConfigError or ResultError."""
    known = store.protocols()
    if name not in known:
        raise ResultError(f"{store.folder}: expected a protocol {name}, got none")
    return built_protocol(described(known[name], f"protocol {name}"))


def built_protocol(described: object) -> Protocol:
    """The protocol of a configuration in plain values. Raises ConfigError."""
    return build_object(described, Protocol, "evaluation")


def newest_evaluations(store: Store, cells: Iterable[str]) -> pd.DataFrame:
    """The newest finished evaluation of each of some cells that has any."""
    found = store.evaluations()
    found = found[found["cell"].isin(set(cells)) & (found["status"] == "done")]
    return found.sort_values("created").drop_duplicates("cell", keep="last")
