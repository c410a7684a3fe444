"""How cost and memory grow: a figure with fitted slopes.

Each point is a process of its own; its CPU seconds without its start and its peak
memory are told. A slope is that of a line through logarithms: 1 is linear, more would
be worse. Rows and features are those of one search, counterfactuals those of an epoch
of training, cells those of one stack, workers those of a grid (wall seconds there, and
memory of the largest of its processes). No row is mature early, so that all are moved
as often.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from setting import cell, replicas, stacked_search

from cftrain.counterfactuals.maturity import Never
from cftrain.data.constraints import unconstrained
from cftrain.models.mlp import Mlp
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from cftrain.summary.figures.saving import save
from cftrain.summary.figures.styles import GREY, INK, PAGE, PRINT
from cftrain.training.run import Run
from cftrain.training.stack import train

Point = dict[str, float]


@dataclass(frozen=True)
class Sweep:
    """What is done for each of some values."""

    values: tuple[int, ...]
    work: Callable[[int], None]
    told: str


def never_mature(*overrides: str) -> Run:
    return Run(**vars(cell(*overrides)) | {"maturity": Never()})


def search(rows: int, features: int) -> None:
    """All steps of a search: no row is ever mature."""
    run = never_mature("data=moons")
    spec = Mlp(name="mlp", hidden=(32,), activation="relu")
    model = spec.build(features=features, classes=2, streams=[Stream(0)])
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((1, rows, features), generator=generator)
    target = torch.randint(2, (1, rows), generator=generator)
    for _ in range(max(1, 2**21 // (rows * features))):
        stacked_search(run, 1)(
            frozen(model, slice(None)), x, target, constraints=unconstrained(features)
        )


def training(counterfactuals: int, cells: int) -> None:
    run = never_mature(
        "data=moons",
        "data.training_rows=8000",
        "data.generated_rows=12000",
        f"schedule.counterfactuals={counterfactuals}",
        "schedule.batch_rows=400",
        "schedule.epochs=5",
    )
    train(replicas(run, cells), run.data.load(), device=torch.device("cpu"))


def grid(workers: int) -> None:
    """Eight stacks, dealt over the workers."""
    with tempfile.TemporaryDirectory() as folder:
        words = (
            *("grid=single", "data=moons", "schedule.epochs=10"),
            "grid.axes={seed: [1, 2, 3, 4, 5, 6, 7, 8]}",
            *("stack_width=1", f"workers={workers}", f"hydra.run.dir={folder}"),
        )
        command = [sys.executable, "-m", "cftrain", "grid", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


SWEEPS = {
    "rows": Sweep(
        (512, 1024, 2048, 4096, 8192, 16384),
        lambda rows: search(rows, 8),
        "rows of a search",
    ),
    "features": Sweep(
        (8, 32, 128, 512, 2048), lambda features: search(1024, features), "features"
    ),
    "counterfactuals": Sweep(
        (500, 1000, 2000, 4000, 8000),
        lambda count: training(count, 1),
        "counterfactuals an epoch",
    ),
    "cells": Sweep(
        (1, 2, 4, 8, 16, 32), lambda cells: training(1000, cells), "cells of a stack"
    ),
    "workers": Sweep((1, 2), grid, "workers of a grid"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", nargs="+", choices=SWEEPS, default=list(SWEEPS))
    parser.add_argument("--figure", type=Path, default=Path("outputs/scale.png"))
    parser.add_argument("--point", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        name, value = arguments.point
        print(json.dumps(_measured(name, int(value))))
        return
    print("what                          value   seconds     MiB")
    found = {name: _swept(name) for name in arguments.sweeps}
    for name, points in found.items():
        print(f"{SWEEPS[name].told:25s} slope {_slope(points):.2f}")
    arguments.figure.parent.mkdir(parents=True, exist_ok=True)
    with rc_context(PRINT):
        save(_figure(found), arguments.figure, kinds=("png",))
    print(arguments.figure)


def _measured(name: str, value: int) -> Point:
    torch.set_num_threads(1)
    sweep, who = SWEEPS[name], resource.RUSAGE_SELF
    cpu, wall = time.process_time(), time.perf_counter()
    sweep.work(value)
    seconds = time.process_time() - cpu
    if name == "workers":
        seconds, who = time.perf_counter() - wall, resource.RUSAGE_CHILDREN
    if name in ("rows", "features"):
        features = value if name == "features" else 8
        rows = value if name == "rows" else 1024
        seconds /= max(1, 2**21 // (rows * features))
    memory = resource.getrusage(who).ru_maxrss / 1024
    return {"value": value, "seconds": seconds, "memory": memory}


def _swept(name: str) -> list[Point]:
    points = []
    for value in SWEEPS[name].values:
        command = [sys.executable, __file__, "--point", name, str(value)]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        point: Point = json.loads(said.stdout)
        points.append(point)
        print(
            f"{SWEEPS[name].told:25s} {value:9d} {point['seconds']:9.3f}"
            f" {point['memory']:7.0f}",
            flush=True,
        )
    return points


def _slope(points: list[Point]) -> float:
    """Of the upper half of the values, where what is paid once weighs least."""
    upper = points[len(points) // 2 - 1 :]
    x, y = (np.log([each[key] for each in upper]) for key in ("value", "seconds"))
    return float(np.polyfit(x, y, 1)[0])


def _figure(found: dict[str, list[Point]]) -> Figure:
    figure = Figure(figsize=(PAGE, 3.2), layout="constrained")
    axes = figure.subplots(2, len(found), sharex="col", squeeze=False)
    for column, (name, points) in enumerate(found.items()):
        upper, lower = axes[:, column]
        _draw(upper, points, "seconds")
        _draw(lower, points, "memory")
        upper.set_title(f"slope {_slope(points):.2f}")
        lower.set_xlabel(SWEEPS[name].told)
        lower.set_ylim(bottom=0)
    axes[0, 0].set_ylabel("seconds (dotted: linear)")
    axes[1, 0].set_ylabel("MiB")
    return figure


def _draw(axis: Axes, points: list[Point], key: str) -> None:
    values, found = ([each[name] for each in points] for name in ("value", key))
    axis.set_xscale("log", base=2)
    axis.set_xticks([values[0], values[-1]], [f"{values[0]:g}", f"{values[-1]:g}"])
    if key == "seconds":
        axis.set_yscale("log")
        ends = [min(found), max(found)]
        axis.set_yticks(ends, [f"{end:.2g}" for end in ends])
        linear = [found[-1] * value / values[-1] for value in values]
        axis.plot(values, linear, color=GREY, linewidth=0.8, linestyle=":")
    axis.minorticks_off()
    axis.plot(values, found, color=INK, marker="o", markersize=3)


if __name__ == "__main__":
    main()
