"""Time and memory of folders with many cells: status, one table, planning.

The folders are made by what writes real results, with numbers that nobody trained and
without waiting for the disk. Every command runs in a process of its own.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import torch
from hydra import compose, initialize_config_dir
from setting import cell as run_of
from tqdm import trange

from cftrain.commands.command_line.options import Options, read
from cftrain.config.tree import folder as tree
from cftrain.data.dataset import Dataset
from cftrain.evaluation.evaluate import Evaluation, Measurement
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, cell, stack_id
from cftrain.grid.launch import AT_END
from cftrain.grid.measured import EvaluatedStack, write_evaluation
from cftrain.grid.records import TrainedStack, write_training
from cftrain.objectives.objective import Objective
from cftrain.results.parts.merging import merge_parts
from cftrain.results.points import add_points
from cftrain.results.store import Store
from cftrain.training.history import COLUMNS, as_records
from cftrain.training.run import Run
from cftrain.training.stack import Trained, initial

MEASURED = """
import sys
from pathlib import Path
from cftrain.cli import main
code = main(sys.argv[1:])
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in lines if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(code)
"""
"""Runs a command and tells its peak memory: that of a process before it was replaced
would count as well in what its parent is told.
"""

ROUNDS = 10
CELLS_OF_A_SEED = 55
"""Of the default grid, with the baseline."""

METRICS = ("ip", "ip_star", "validity", "cost")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=[1000])
    parser.add_argument("--unmerged", action="store_true", help="leave every part")
    arguments = parser.parse_args()
    print("cells     parts   command    wall s    cpu s   peak MiB")
    for count in arguments.cells:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            _make(folder, count, merged=not arguments.unmerged)
            os.sync()  # commands do not wait for what was written before them
            parts = sum(1 for _ in folder.rglob("*.parquet"))
            for name, words in _commands(folder, count).items():
                wall, cpu, peak = _timed(words)
                line = f"{count:<9d} {parts:<7d} {name:9s} {wall:7.1f} {cpu:8.1f}"
                line += f" {peak:10.0f}"
                print(line, flush=True)


def _commands(folder: Path, count: int) -> dict[str, list[str]]:
    seeds = range(round(count / CELLS_OF_A_SEED))
    planned = [
        "data=moons",
        f"+grid.axes.seed=[{','.join(map(str, seeds))}]",
        "dry_run=true",
        f"hydra.run.dir={folder / 'new'}",
    ]
    return {
        "status": ["status", str(folder)],
        "table": ["tables", str(folder), "table=main"],
        "dry run": ["grid", *planned],
    }


def _timed(words: list[str]) -> tuple[float, float, float]:
    """Wall seconds, seconds of processors and peak MiB of a command."""
    start, before = time.perf_counter(), _processors()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    peak = int(done.stderr.split()[-2]) / 1024
    return time.perf_counter() - start, _processors() - before, peak


def _processors() -> float:
    """Seconds that processes which have ended took of all processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _make(folder: Path, count: int, *, merged: bool) -> None:
    """Pairs of models of different seeds, each cell in a stack of its own."""
    model = run_of("data=moons")
    with initialize_config_dir(str(tree()), version_base="1.3"):
        _, options = read(compose("run", overrides=["data=moons"]), Options)
    assert options.compare is not None
    store, data = Store(folder), model.data.load()
    points = []
    with mock.patch("os.fsync"):
        for seed in trange(count // 2, leave=False, disable=None):
            for role, run in _pair(replace(model, seed=seed), options.compare):
                made = cell(run, data.identity)
                _write(made, data, options.evaluation, store)
                points.append(
                    {
                        "grid": "main",
                        "point": seed,
                        "coordinates": {"seed": seed},
                        "role": role,
                        "cell": made.id,
                    }
                )
            if merged and seed % 64 == 0:
                merge_parts(folder)
        if merged:
            merge_parts(folder, many=AT_END)
        add_points(folder, points)


def _pair(run: Run, baseline: Objective) -> list[tuple[str, Run]]:
    return [("model", run), ("baseline", replace(run, objective=baseline))]


def _write(made: Cell, data: Dataset, protocol: Protocol, store: Store) -> None:
    numbers = torch.rand(2, 1, len(COLUMNS), dtype=torch.float64)
    numbers[..., COLUMNS.index("skipped_batches")] = 0.0
    trained = Trained(classifier=initial([made.run], data), history=as_records(numbers))
    result = TrainedStack(
        stack=stack_id([made.id]),
        cells=[made],
        dataset=data,
        trained=trained,
        seconds=1.0,
    )
    write_training(result, store, name="bench")
    measurements = [
        Measurement(
            cell=0,
            metric=metric,
            energy_weight=None,
            round=number,
            epsilon=None,
            value=float(torch.rand(())) + 0.5,
            rows=100,
        )
        for metric in METRICS
        for number in range(ROUNDS)
    ]
    evaluated = EvaluatedStack(
        stack=stack_id([made.id], "bench"),
        cells=[made],
        dataset=data,
        protocol=protocol,
        evaluation=Evaluation(
            measurements=measurements, explained=[], attributions=None
        ),
        exhibits=(),
        seconds=1.0,
    )
    write_evaluation(evaluated, store)


if __name__ == "__main__":
    main()
