"""What a few epochs of counterfactual training buy, as a Markdown table.

Reads FOLDER/whole (grid=single: vanilla models and whole trainings) and FOLDER/few
(grid=fine_tuning, which starts from the vanilla ones). Means over training seeds, ±
their standard deviation; IP is a mean over rounds and energy weights.
"""

import argparse
from pathlib import Path

import pandas as pd

import cftrain

MEASURES = {"accuracy": "accuracy", "ip": "IP", "validity": "validity"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    whole = measured(folder / "whole")
    few = measured(folder / "few")
    rows = [
        *rows_of(whole.query("objective == 'vanilla'"), "vanilla"),
        *rows_of(few.query("objective == 'full'"), "+ {} of CT"),
        *rows_of(few.query("objective == 'vanilla'"), "+ {} of vanilla training"),
        *rows_of(whole.query("objective == 'full'"), "CT from the start"),
    ]
    order = {name: place for place, name in enumerate(whole["data"].unique())}
    print("| data | training | seeds |", " | ".join(MEASURES.values()), "|")
    print("| --- | --- | --- |", " | ".join("--- " for _ in MEASURES), "|")
    for row in sorted(rows, key=lambda row: order[row[0]]):
        print("|", " | ".join(row), "|")


def measured(folder: Path) -> pd.DataFrame:
    """A value for each data set, objective, number of epochs, seed and measure."""
    results = cftrain.read_results(folder)
    metrics = results.metrics[results.metrics["metric"].isin(MEASURES)]
    if "schedule.epochs" not in metrics:
        metrics = metrics.assign(**{"schedule.epochs": 0})
    metrics = metrics.rename(columns={"schedule.epochs": "epochs"})
    keys = ["data", "objective", "epochs", "seed", "metric"]
    found = metrics.groupby(keys, sort=False)["value"].mean()
    return found.unstack("metric").reset_index()


def rows_of(values: pd.DataFrame, name: str) -> list[tuple[str, ...]]:
    """Rows of the table: means over seeds."""
    made = []
    for (data, epochs), group in values.groupby(["data", "epochs"], sort=True):
        numbers = [_number(group[metric]) for metric in MEASURES]
        told = name.format(f"{epochs} epoch{'' if epochs == 1 else 's'}")
        made.append((str(data), told, str(len(group)), *numbers))
    return made


def _number(values: pd.Series) -> str:
    digits = 3 if values.abs().max() < 10 else 1
    spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


if __name__ == "__main__":
    main()
