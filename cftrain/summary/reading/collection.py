"""All results below a folder, each of them once, whatever was copied or repeated."""

from collections.abc import Collection as Several
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cftrain.errors import ResultError
from cftrain.results.schema import OF_EVALUATION, TABLES
from cftrain.results.store import Store
from cftrain.summary.reading.pairs import pairs_of


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Finished cells of one or many folders.

    `cells` is the table of cells, indexed by cell; `evaluations` that of evaluations,
    indexed by cell and protocol. Both have a column `folder`. `pairs` has a row for
    every point of a grid and for every model trained without one: see `pairs_of`.
    """

    cells: pd.DataFrame
    evaluations: pd.DataFrame
    pairs: pd.DataFrame

    @property
    def done(self) -> pd.DataFrame:
        """Cells that did not fail."""
        return self.cells[self.cells["status"] == "done"]

    @property
    def measured(self) -> pd.DataFrame:
        """Evaluations that did not fail, of cells that did not."""
        done = self.evaluations[self.evaluations["status"] == "done"]
        return done[done.index.get_level_values("cell").isin(self.done.index)]

    def of_training(self, table: str, cells: Iterable[str]) -> pd.DataFrame:
        """Returns the rows of some cells in `history`. Raises ResultError."""
        return _rows(table, self.cells.loc[list(cells)].reset_index())

    def of_evaluation(self, table: str, measured: pd.DataFrame) -> pd.DataFrame:
        """Returns the rows of some evaluations in a table such as `metrics`.

        They are named by cell, the index, and column `protocol`. Raises ResultError.
        """
        chosen = measured.set_index("protocol", append=True).index
        rows = self.evaluations.loc[self.evaluations.index.isin(chosen)]
        return _rows(table, rows.reset_index())


def collect(root: Path, protocol: str | None = None) -> Collection:
    """Collects the results in `root` itself and in all folders below it.

    Of a cell or an evaluation that is in several folders the newest counts that is
    done, or the newest failure if none is. With the start of a protocol's id, all other
    evaluations are left out. Raises ResultError if there are no results, or no such
    protocol.
    """
    folders = sorted({path.parent for path in root.rglob("cells") if path.is_dir()})
    return collected(folders, root, protocol)


def collected(
    folders: Several[Path], root: Path, protocol: str | None = None
) -> Collection:
    """The same of given folders, which messages call the root. Raises ResultError."""
    folders = sorted(folders)
    read = [(folder, Store(folder).cells()) for folder in folders]
    cells = _united(read)
    if cells.empty:
        raise ResultError(
            f"{root}: expected results of cftrain train or cftrain grid, got none; "
            "train something first, or name another folder"
        )
    measured = _united([(f, Store(f).evaluations(cells=own)) for f, own in read])
    if protocol is not None:
        measured = measured[measured["protocol"] == _called(protocol, measured)]
    cells = cells.drop_duplicates("cell", keep="last").set_index("cell")
    keys = ["cell", "protocol"]
    return Collection(
        cells=cells,
        evaluations=measured.drop_duplicates(keys, keep="last").set_index(keys),
        pairs=pairs_of(folders, cells),
    )


def _united(tables: list[tuple[Path, pd.DataFrame]]) -> pd.DataFrame:
    """One table with the column `folder`: failures, then the others, each by age."""
    named = [table.assign(folder=str(folder)) for folder, table in tables]
    filled = [table for table in named if len(table)] or named[:1]
    if not filled:
        return pd.DataFrame()
    united = pd.concat(filled, ignore_index=True)
    done = united["status"] == "done"  # no failure elsewhere hides a result
    order = ["done", "created", "stack", "folder"]
    ordered = united.assign(done=done).sort_values(order, ignore_index=True)
    return ordered.drop(columns="done")


def _called(start: str, measured: pd.DataFrame) -> str:
    """The protocol whose id starts so. Raises ResultError unless there is one."""
    known: Several[str] = sorted(set(measured["protocol"]))
    found = [protocol for protocol in known if protocol.startswith(start)]
    if len(found) != 1:
        raise ResultError(
            f"protocol: expected the start of one of {', '.join(known) or 'none'}, got "
            f"{start!r}"
        )
    return found[0]


def _rows(table: str, chosen: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table, read folder by folder."""
    keys = ["cell", "protocol"] if table in OF_EVALUATION else ["cell"]
    found = [
        Store(Path(str(folder))).rows(table, group.drop_duplicates(keys))
        for folder, group in chosen.groupby("folder")
    ]
    filled = [rows for rows in found if len(rows)]
    if not filled:
        return TABLES[table].empty_table().to_pandas()
    return pd.concat(filled, ignore_index=True)
