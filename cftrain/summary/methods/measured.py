"""What was measured on the models of a grid of methods: a line for each model."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cftrain.summary.naming import ordered_datasets
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.method import BASELINE, method_of
from cftrain.summary.reading.protocols import choose
from cftrain.summary.statistics.individuals import common

PUBLISHED = "full"

AS_PUBLISHED = 1.0
"""The strength of published counterfactual training."""

ATTACKS = ("fgsm_accuracy", "pgd_accuracy")
EPSILON = 0.1
"""The strength of attacks that methods are compared by."""

GROUP = ["data", "protected"]
SELF_EXPLAINING = ("counternet",)
"""Methods whose counterfactuals come from the model itself."""

KEYS = [*GROUP, "method", "setting"]

FLOOR_SHARE = 0.02
"""Of the baseline's IP: what it has to be above the floor, for there to be a gap."""


def measured(collection: Collection, grids: Sequence[str]) -> pd.DataFrame:
    """Returns a line for each evaluated model of some grids: data, protected, method,
    setting (strength, or 0), seed, its cell, what was measured as means over rounds and
    energy weights, and `ip_common` and `ip_common_baseline` on individuals that it and
    the baseline of its seed have valid counterfactuals of.

    `validation_accuracy` is that of the last epoch; `train_seconds` is the cell's share
    of its stack. A baseline has the setting 0 and is there once for each seed.
    """
    cells = cells_of(collection, grids)
    tables = [
        _of_group(collection, group)
        for data in ordered_datasets(cells["data"])
        for _, group in cells[cells["data"] == data].groupby("protected")
    ]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def cells_of(collection: Collection, grids: Sequence[str]) -> pd.DataFrame:
    """Returns the finished cells of the grids, with their methods and settings."""
    pairs = collection.pairs[collection.pairs["grid"].isin(list(grids))]
    names = pd.unique(pairs[["model", "baseline"]].to_numpy(object).ravel())
    found = collection.done[collection.done.index.isin(names)]
    about = [
        method_of(str(row["objective"]), row["config"])
        for row in found.to_dict("records")
    ]
    found = found.assign(
        protected=found["protected"].fillna(0) > 0,
        method=[method for method, _ in about],
        setting=[setting for _, setting in about],
        train_seconds=found["seconds"] / found["stack_cells"],
    )
    columns = ["data", "protected", "method", "setting", "seed", "train_seconds"]
    return found[columns]


def _of_group(collection: Collection, cells: pd.DataFrame) -> pd.DataFrame:
    """The lines of the models of one dataset, as one protocol has measured them; those
    that answer themselves as their own has, if that one has not.
    """
    choice = choose(collection.measured, [set(cells.index)], 0)
    there = collection.measured.reset_index("protocol")
    there = there[there.index.isin(cells.index)]
    common = there["protocol"] == choice.protocol
    others = _by_their_own(there[~common], cells)
    there = pd.concat([there[common], others[~others.index.isin(there[common].index)]])
    if there.empty:
        return pd.DataFrame()
    lines = cells.loc[there.index].join(means(collection, there))
    history = collection.of_training("history", there.index)
    last = history.sort_values("epoch").groupby("cell")["validation_accuracy"].last()
    lines = lines.join(last.rename("validation_accuracy"))
    transfer = collection.of_evaluation("transfer", there)
    if len(transfer):
        lines = lines.join(transfer.groupby("cell")["value"].mean().rename("transfer"))
    both = pd.DataFrame(_in_common(collection, there, lines))
    if len(both):
        lines = lines.join(both.set_index("cell"))
    return lines.rename_axis("cell").reset_index()


def _by_their_own(there: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The newest evaluations of models that answer themselves: no common generator says
    what these methods do.
    """
    own = there[cells.loc[there.index, "method"].isin(SELF_EXPLAINING).to_numpy()]
    newest = own.sort_values("created", kind="stable")
    return newest[~newest.index.duplicated(keep="last")]


def means(collection: Collection, there: pd.DataFrame) -> pd.DataFrame:
    """Returns a column for each metric: means over rounds and energy weights."""
    rows = collection.of_evaluation("metrics", there)
    attacked = rows["metric"].isin(ATTACKS)
    rows = rows[~attacked | np.isclose(rows["epsilon"].fillna(-1), EPSILON)]
    weighted = rows.groupby(["cell", "metric", "energy_weight"], dropna=False)["value"]
    level = weighted.mean().groupby(["cell", "metric"]).mean()
    found: pd.DataFrame = level.unstack("metric")
    return found


def _in_common(
    collection: Collection, there: pd.DataFrame, lines: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    """IP of each model and of the baseline of its seed, on the same individuals."""
    rows = collection.of_evaluation("individuals", there)
    rows = rows[rows["metric"] == "ip"]
    own = {str(cell): group for cell, group in rows.groupby("cell")}
    for _, of_seed in lines.groupby("seed"):
        base = of_seed.index[of_seed["method"] == BASELINE]
        if not len(base) or base[0] not in own:
            continue
        for cell in of_seed.index:
            if cell in own and (found := common(own[cell], own[base[0]])):
                yield {
                    "cell": cell,
                    "ip_common": found.model,
                    "ip_common_baseline": found.baseline,
                    "common_share": found.share,
                }


def compared(collection: Collection, grids: Sequence[str]) -> pd.DataFrame:
    """Returns the unprotected lines of some grids against their baselines, none where
    no two models have a counterfactual in common.
    """
    if not collection.pairs["grid"].isin(list(grids)).any():
        return pd.DataFrame()
    lines = measured(collection, grids)
    if lines.empty or "ip_common" not in lines:
        return pd.DataFrame()
    return against_baseline(lines[~lines["protected"]])


def against_baseline(lines: pd.DataFrame) -> pd.DataFrame:
    """Returns the lines with what the baseline of the same data and seed has, in
    columns that end with `_baseline`, and with `gap`, the share of the gap closed.

    The gap is (baseline - model) / (baseline - floor) in IP on common individuals, in
    percent, NaN where the baseline leaves less than 2 % to gain.
    """
    by = [*GROUP, "seed"]
    base = lines[lines["method"] == BASELINE].drop_duplicates(by).set_index(by)
    numbers = [
        name
        for name in base.select_dtypes("number").columns
        if name != "setting" and not name.startswith("ip_common")
    ]
    joined = lines.join(base[numbers].add_suffix("_baseline"), on=by)
    before = joined["ip_common_baseline"]
    room = before - joined["ip_floor_baseline"]
    gained = before - joined["ip_common"]
    gap = 100 * gained / room.where(room > FLOOR_SHARE * before.abs())
    return joined.assign(gap=gap, gained=100 * gained / before)


def chosen(lines: pd.DataFrame, budget: float) -> pd.DataFrame:
    """Returns of each method and seed the strongest setting whose validation accuracy
    is at most `budget` below that of the baseline, and this one where there is none.

    Test rows have no part in it. `kept` says whether there was one.
    """
    rows = []
    base = lines[lines["method"] == BASELINE].set_index([*GROUP, "seed"])
    for key, group in lines[lines["method"] != BASELINE].groupby(
        [*GROUP, "seed", "method"]
    ):
        place, method = key[:-1], key[-1]
        if place not in base.index:
            continue
        lost = group["validation_accuracy_baseline"] - group["validation_accuracy"]
        within = group[lost <= budget + 1e-9]
        if len(within):
            rows.append({**within.loc[within["setting"].idxmax()], "kept": True})
        else:
            plain = base.loc[place]
            named = dict(zip([*GROUP, "seed"], place, strict=True))
            rows.append({**plain, **named, "method": method, "kept": False})
    return pd.DataFrame(rows)


def at_setting(lines: pd.DataFrame, method: str, setting: float) -> pd.DataFrame:
    """Returns the lines of a method at one setting."""
    return lines[(lines["method"] == method) & np.isclose(lines["setting"], setting)]


def methods_of(lines: pd.DataFrame, order: Sequence[str]) -> list[str]:
    """Returns the methods that are there, the baseline left out, in an order."""
    found = set(lines["method"]) - {BASELINE}
    known = [name for name in order if name in found]
    return known + sorted(found - set(known))
