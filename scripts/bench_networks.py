"""Networks from elsewhere beside our own models of their size: CPU time of trainings.

A residual MLP (examples/networks) in a stack of 32 beside the MLP that has as many
dense layers of the same width, on Moons; a small ResNet beside LeNet, on images of the
size of MNIST's, alone. Then steps of both networks with vmap and in turns, which is
what the choice between them was made by. Each pair takes turns, one thread; the bar is
3 times for the residual MLP.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from setting import cell, replicas
from torch import Tensor

from cftrain.config.build import build_object
from cftrain.data.dataset import Dataset
from cftrain.models.adopted import given
from cftrain.models.classifier import ModelSpec
from cftrain.models.stacked_network import StackedNetwork
from cftrain.seeding import Stream
from cftrain.training.run import Run
from cftrain.training.stack import train

sys.path.append(str(Path(__file__).parents[1] / "examples" / "networks"))

from example_networks import ResidualMlp, ResNet

WIDTH, BLOCKS = 32, 2
MOONS = (
    "data=moons",
    "data.training_rows=600",
    "data.validation_rows=120",
    "schedule.counterfactuals=200",
)
"""A fifth of its rows, and of the counterfactuals of an epoch."""
SHAPE = (1, 28, 28)
LEAST_STEPS = 5
"""Repeats of a step, which is over in no time."""
MNIST = (
    "data=mnist",
    "schedule=large",
    "data.training_rows=1000",
    "data.validation_rows=100",
    "schedule.batch_rows=500",
    "schedule.counterfactuals=200",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--stack", type=int, default=32)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"Trainings, CPU seconds (median of {arguments.repeats})")
    print("  stack   ours                 from elsewhere          ratio")
    run = cell(*MOONS, f"schedule.epochs={arguments.epochs}")
    ours = replace(run, model=mlp(2 * BLOCKS + 1))
    other = replace(run, model=network(ResidualMlp, width=WIDTH, blocks=BLOCKS))
    report(ours, other, arguments.stack, arguments.repeats)
    run = cell(*MNIST, "model=lenet", "schedule.epochs=1")
    other = replace(run, model=network(ResNet, row_shape=list(SHAPE)))
    report(run, other, 1, arguments.repeats)
    repeats = max(arguments.repeats, LEAST_STEPS)
    print(f"Steps in training, CPU milliseconds (median of {repeats})")
    print("  network       stack    rows      vmap   in turns   ratio")
    for rows in (60, 1000):
        for stack in (2, 8, 32):
            steps(ResidualMlp, (2,), stack, rows, repeats)
    for stack in (2, 8):
        steps(ResNet, SHAPE, stack, 256, repeats)


def mlp(hidden: int) -> ModelSpec:
    node = {"_target_": "mlp", "name": "mlp", "activation": "relu"}
    return build_object({**node, "hidden": [WIDTH] * hidden}, ModelSpec, "model")


def network(kind: type[torch.nn.Module], **values: object) -> ModelSpec:
    return build_object({"_target_": given(kind), **values}, ModelSpec, "model")


def report(ours: Run, other: Run, stack: int, repeats: int) -> None:
    dataset = ours.data.load()
    one, two = in_turn(
        lambda: trained(ours, stack, dataset),
        lambda: trained(other, stack, dataset),
        repeats,
    )
    names = f"{ours.model.name:8s} {one:8.2f}    {other.model.name:12s} {two:8.2f}"
    print(f"  {stack:5d}   {names} {two / one:8.2f}", flush=True)


def trained(run: Run, stack: int, dataset: Dataset) -> None:
    train(replicas(run, stack), dataset, device=torch.device("cpu"))


def steps(
    kind: type[torch.nn.Module], shape: tuple[int, ...], stack: int, rows: int, n: int
) -> None:
    """Forward and backward of the same networks in both ways."""
    features = torch.Size(shape).numel()
    streams = [Stream(seed) for seed in range(stack)]
    model = network(kind, row_shape=list(shape)).build(
        features=features, classes=10, streams=streams
    )
    assert isinstance(model, StackedNetwork)
    x = torch.randn(stack, rows, features)

    def step(in_turns: bool) -> tuple[Tensor, ...]:
        model.in_turns = in_turns
        loss = model.learning(x, streams).square().sum()
        return torch.autograd.grad(loss, list(model.parameters()))

    vmapped, turns = in_turn(lambda: step(False), lambda: step(True), n)
    print(
        f"  {kind.__name__:12s} {stack:6d} {rows:7d} {1000 * vmapped:9.1f}"
        f" {1000 * turns:10.1f} {turns / vmapped:7.2f}",
        flush=True,
    )


def in_turn(
    one: Callable[[], object], other: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Median CPU seconds of each, in turns, after a first time that does not count."""
    one(), other()
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for work, times in zip((one, other), spent, strict=True):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
    return statistics.median(spent[0]), statistics.median(spent[1])


if __name__ == "__main__":
    main()
