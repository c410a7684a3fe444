"""A small grid, its numbers and the folder of an undisturbed run."""

from pathlib import Path

import pandas as pd

from cftrain.results.store import Store

SMALL = (
    "grid=tune_lr",
    "data=moons",
    "data.training_rows=1200",
    "data.validation_rows=30",
    "data.test_rows=60",
    "data.generated_rows=1400",
    "schedule.epochs=3",
    "schedule.batch_rows=120",
    "search.max_steps=4",
    "evaluation.rounds=2",
    "evaluation.individuals=6",
    "evaluation.search.max_steps=6",
)
KEYS = ["cell", "protocol", "metric", "energy_weight", "round", "epsilon"]


def small(folder: Path, *overrides: str) -> tuple[str, ...]:
    """10 cells: 9 points and the baseline that they share."""
    given = {word.split("=")[0] for word in overrides}
    kept = [word for word in SMALL if word.split("=")[0] not in given]
    return ("grid", *kept, f"hydra.run.dir={folder}", *overrides)


def numbers(folder: Path) -> pd.DataFrame:
    """All metrics in a fixed order."""
    store = Store(folder)
    metrics = store.rows("metrics", store.evaluations())
    return metrics.sort_values(KEYS, ignore_index=True).drop(columns="stack")


def same_numbers(left: Path, right: Path) -> None:
    """Bit for bit."""
    pd.testing.assert_frame_equal(numbers(left), numbers(right), check_exact=True)


def no_training(*_: object, **__: object) -> None:
    """In the place of the trainer where nothing is to be trained."""
    raise AssertionError("trained again")
