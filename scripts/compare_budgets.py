"""Which objective a table of one's own should be trained with, within the budget that
is the default there: a point of accuracy and two of validity on validation rows.

Wine, breast cancer and diabetes (in two classes) from scikit-learn, and any --table,
each trained by every objective with the same seeds. What is printed was measured on
test rows, in which nothing is chosen: the strengths that were kept, and means ±
deviation over the seeds of what the kept model gains over the baseline of its seed; a
baseline that is kept gains nothing. FOLDER keeps what was trained, and a second call
goes on there.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from small_tables import LABEL, small_tables

import cftrain

OBJECTIVES = ("aligned", "full", "alignment", "pgd")

GAINS = {
    "accuracy": "accuracy, points",
    "validity": "validity, points",
    "ip": "IP, %",
    "ip_star": "IP\\*, %",
    "cost": "cost, %",
}
"""Metrics with what their columns are called; of those in percent less is better."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=(11, 12, 13, 14, 15))
    parser.add_argument("--objectives", nargs="+", default=OBJECTIVES)
    parser.add_argument(
        "--table",
        nargs=2,
        action="append",
        default=[],
        metavar=("PATH", "LABEL"),
        help="one more table, with the name of its label",
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    print("| rows | objective | kept |", " | ".join(GAINS.values()), "|")
    print("| --- | --- | --- |", " | ".join("---:" for _ in GAINS), "|")
    for path, label in _tables(arguments.folder, arguments.table):
        for objective in arguments.objectives:
            kept, gains = [], []
            for seed in arguments.seeds:
                place = arguments.folder / f"{path.stem}_{objective}"
                strength, gain = _trained(path, label, objective, seed, place)
                kept.append(f"{strength:g}")
                gains.append(gain)
            cells = _cells(pd.DataFrame(gains))
            name = path.stem.replace("_", " ")
            print(f"| {name} | {objective} | {', '.join(kept)} | {cells} |", flush=True)


def _tables(folder: Path, more: list[list[str]]) -> Iterator[tuple[Path, str]]:
    """Yields files with the names of their labels."""
    for name, frame in small_tables():
        path = folder / f"{name}.csv"
        if not path.exists():
            frame.to_csv(path, index=False)
        yield path, LABEL
    for path, label in more:
        yield Path(path), label


def _trained(
    path: Path, label: str, objective: str, seed: int, folder: Path
) -> tuple[float, dict[str, float]]:
    """The strength that was kept, 0 for the baseline, and what it gains."""
    run = cftrain.train(
        [
            *("data=table", f"data.path={path}", f"data.label={label}"),
            *(f"objective={objective}", "budget=one_point", f"seed={seed}"),
        ],
        folder=folder,
    )
    assert run.budget is not None
    strength = float(run.budget["strength"][run.budget["kept"]].iloc[0])
    found = run.metrics.groupby(["cell", "metric"])["value"].mean().unstack()
    model, baseline = found.loc[run.model], found.loc[run.baseline or run.model]
    gains = {}
    for name in GAINS:
        if name in ("accuracy", "validity"):
            gains[name] = 100 * (model[name] - baseline[name])
        else:
            gains[name] = 100 * (1 - model[name] / baseline[name])
    return strength, gains


def _cells(gains: pd.DataFrame) -> str:
    """Means ± deviations over the seeds."""
    told = zip(gains.mean(), gains.std(), strict=True)
    return " | ".join(f"{mean:.1f} ± {deviation:.1f}" for mean, deviation in told)


if __name__ == "__main__":
    main()
