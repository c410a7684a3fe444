"""How the models of a bundle were measured: the newest protocol and its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cftrain.bundle.layout import METRICS, PROTOCOL
from cftrain.bundle.manifest import json_text
from cftrain.grid.stored import newest_evaluations
from cftrain.results.described import described
from cftrain.results.store import Store


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A protocol as it is stored, and the metrics of the models it has measured."""

    protocol: str | None
    config: dict[str, Any]
    metrics: pd.DataFrame


def measured(store: Store, cells: Sequence[str]) -> Measured:
    """Returns what the newest evaluation of the first cell measured, and the same
    protocol's numbers of the others. Raises ResultError.
    """
    newest = newest_evaluations(store, cells[:1])
    if newest.empty:
        return Measured(protocol=None, config={}, metrics=pd.DataFrame())
    protocol = str(newest["protocol"].iloc[0])
    found = store.evaluations()
    same = found["protocol"].eq(protocol) & found["status"].eq("done")
    rows = store.rows("metrics", found[same & found["cell"].isin(set(cells))])
    return Measured(
        protocol=protocol,
        config=described(store.protocols()[protocol], f"protocol {protocol}"),
        metrics=rows.drop(columns=["stack", "protocol"]),
    )


def write_measured(folder: Path, found: Measured) -> None:
    protocol = {"protocol": found.protocol, "config": found.config}
    (folder / PROTOCOL).write_text(json_text(protocol), encoding="utf-8")
    rows = found.metrics.astype(object).where(found.metrics.notna(), None)
    whole = {"metrics": rows.to_dict("records")}
    (folder / METRICS).write_text(json_text(whole), encoding="utf-8")
