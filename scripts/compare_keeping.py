"""What `schedule.keep` does on small tables: which epoch's weights a training keeps.

Wine, breast cancer and diabetes (in two classes) from scikit-learn, without the fifth
of the rows that a test would have; the rest is divided once more. Every rule trains CT
and BL on the same seeds. Prints a Markdown table: mean accuracy of CT and BL, and the
reduction of IP* in percent of BL, mean ± deviation over the seeds. FOLDER keeps what
was trained, and a second call goes on there.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split
from small_tables import LABEL, small_tables

import cftrain

RULES = ("best", "one_standard_error", "last")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=(1, 2, 3))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    print("| rows |", " | ".join(f"`{rule}`" for rule in RULES), "|")
    print("| --- " * (len(RULES) + 1) + "|")
    for name, frame in small_tables():
        here = arguments.folder / name
        kept, _ = train_test_split(
            frame, test_size=0.2, stratify=frame[LABEL], random_state=0
        )
        kept.to_csv(here.with_suffix(".csv"), index=False)
        _train(here, arguments.seeds)
        measured = _measured(here)
        cells = [_cell(measured[measured["schedule.keep"] == rule]) for rule in RULES]
        print(f"| {name.replace('_', ' ')} |", " | ".join(cells), "|", flush=True)


def _train(here: Path, seeds: list[int]) -> None:
    axes = {
        "schedule.keep": RULES,
        "objective": ("full", "vanilla"),
        "seed": map(str, seeds),
    }
    pairs = ", ".join(f'["{key}", [{", ".join(axes[key])}]]' for key in axes)
    words = (
        *("grid", "grid=single", f"grid.axes=[{pairs}]"),
        *("data=table", f"data.path={here.with_suffix('.csv')}", f"data.label={LABEL}"),
        f"hydra.run.dir={here}",
    )
    subprocess.run((sys.executable, "-m", "cftrain", *words), check=True, stdout=2)


def _measured(here: Path) -> pd.DataFrame:
    """A line for each rule, objective and seed."""
    metrics = cftrain.read_results(here).metrics
    keys = ["schedule.keep", "objective", "seed", "metric"]
    found = metrics[metrics["metric"].isin(["accuracy", "ip_star"])].copy()
    # `last`, which is usual, is no part of what is stored.
    found["schedule.keep"] = found["schedule.keep"].fillna("last")
    return found.groupby(keys)["value"].mean().unstack("metric").reset_index()


def _cell(values: pd.DataFrame) -> str:
    by_seed = values.set_index(["objective", "seed"])
    full, vanilla = by_seed.loc["full"], by_seed.loc["vanilla"]
    reduction = 100 * (1 - full["ip_star"] / vanilla["ip_star"])
    return (
        f"{full['accuracy'].mean():.3f}, {vanilla['accuracy'].mean():.3f}, "
        f"{reduction.mean():.0f} ± {reduction.std():.0f} %"
    )


if __name__ == "__main__":
    main()
