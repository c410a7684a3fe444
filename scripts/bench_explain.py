"""Seconds to start and to explain rows, and memory that does not grow with them.

One thread, every command in a process of its own; CPU seconds, since other work may
share the machine. Adult is trained for a few epochs (`--epochs 100`: as published), its
rows are test rows; the many rows are those of a made-up table of eight numbers. The
bars: 4 s to start, 0.5 s for a row after that, 5 s for 1,000 rows of Adult.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

CFTRAIN = (sys.executable, "-m", "cftrain")


@dataclass(frozen=True)
class Spent:
    """CPU seconds of a command and its largest memory in MiB."""

    seconds: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs="+", default=(1000, 100_000))
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        _adult(here, arguments.epochs)
        _many(here, arguments.rows)


def _adult(here: Path, epochs: int) -> None:
    _train(here / "adult", "experiment=adult", f"schedule.epochs={epochs}")
    start = _explain(here / "adult", "test_rows=1")
    print(f"Adult\nstart-up and one row    {start.seconds:6.1f} CPU s")
    for words in (["count=1"], ["count=3"], ["format=html"], ["summary=true"]):
        many = _explain(here / "adult", "test_rows=1000", *words)
        more = many.seconds - start.seconds
        print(f"999 rows more, {words[0]:12s} {more:5.1f} CPU s", flush=True)


def _many(here: Path, sizes: Sequence[int]) -> None:
    rng = np.random.default_rng(1)
    path = here / "eight.csv"
    table = _eight(rng, 3000)
    score = table.sum(axis=1) + rng.normal(size=len(table))
    table.assign(label=np.where(score > 0, "yes", "no")).to_csv(path, index=False)
    words = ("data=table", f"data.path={path}", "data.label=label", "schedule.epochs=5")
    _train(here / "eight", *words)
    print("a table of eight numbers, format=csv")
    for size in sizes:
        _eight(rng, size).to_csv(here / "rows.csv", index=False)
        told = f"output={here / 'told.csv'}"
        rows = f"rows={here / 'rows.csv'}"
        spent = _explain(here / "eight", rows, "format=csv", told)
        print(
            f"{size:9,d} rows {spent.seconds:8.1f} CPU s {spent.memory:8.0f} MiB",
            flush=True,
        )


def _eight(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    values = rng.normal(size=(rows, 8)).round(3).clip(-3, 3)
    return pd.DataFrame(values, columns=[f"x{place}" for place in range(1, 9)])


def _train(folder: Path, *words: str) -> None:
    _spent("train", *words, "evaluation=quick", f"hydra.run.dir={folder}")


def _explain(folder: Path, *words: str) -> Spent:
    return _spent("explain", str(folder), *words)


def _spent(*words: str) -> Spent:
    with subprocess.Popen((*CFTRAIN, *words), stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"cftrain {' '.join(words)}: expected to succeed")
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
