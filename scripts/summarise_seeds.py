"""Accuracy, validity and the reduction of IP by dataset, over training seeds.

    cftrain grid grid=single '+grid.axes.seed=[1,2,3]' hydra.run.dir=outputs/seeds
    python scripts/summarise_seeds.py outputs/seeds

The reduction of a seed is that of the paper's main table, 100 (1 - mean over rounds of
IP of CT / IP of BL); shown are its mean and standard deviation over seeds.
"""

import argparse
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from cftrain.results.points import load_points
from cftrain.results.store import Store

ROLES = {"baseline": "BL", "model": "CT"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    store, points = Store(folder), load_points(folder)
    metrics = points.merge(store.read("metrics"), on="cell")
    cells = store.read("cells").set_index("cell")
    rows = [_row(name, group) for name, group in metrics.groupby("experiment")]
    head = ["", "accuracy BL", "CT", "validity BL", "CT", "IP lower by %"]
    print(tabulate(rows, head, tablefmt="github", disable_numparse=True))
    stacks = cells.drop_duplicates("stack")
    print(f"{len(cells)} cells, {stacks['train_seconds'].sum():.0f} s of training")


def _row(name: str, rows: pd.DataFrame) -> list[str]:
    shown = [name]
    for metric in ("accuracy", "validity"):
        means = _means(rows, metric)
        shown += [_spread(means[role]) for role in ROLES]
    ip = rows[rows["metric"] == "ip"]
    by_round = ip.groupby(["seed", "role", "round"])["value"].mean().unstack("role")
    ratio = (by_round["model"] / by_round["baseline"]).groupby("seed").mean()
    return [*shown, _spread(100 * (1 - ratio), 1)]


def _means(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Mean of each seed, a column for each role."""
    chosen = rows[rows["metric"] == metric]
    return chosen.groupby(["seed", "role"])["value"].mean().unstack("role")


def _spread(values: pd.Series, digits: int = 3) -> str:
    return f"{values.mean():.{digits}f} ± {values.std():.{digits}f}"


if __name__ == "__main__":
    main()
