"""Throughput of one batched search against a loop over its rows, in one run.

The loop searches row by row with plain autograd, as a naive implementation does; it
runs on a sample of the rows. Models are those of several epochs of training, because
early stopping decides what a search costs.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from setting import cell, stacked_search
from torch import Tensor

from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.models.stack_slicing import frozen, predict
from cftrain.training.run import Run
from cftrain.training.stack import train

ROWS = 1000
LOOP_ROWS = 20
REPEATS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    torch.set_num_threads(1)
    print(f"Search of {ROWS} Moons rows, milliseconds (median of {REPEATS})")
    print("model after   threshold   steps   batched   row by row   ratio")
    for epochs in (1, 10, 60):
        for threshold in (0.75, 0.9999):
            _report(epochs, threshold)


def _report(epochs: int, threshold: float) -> None:
    run = cell(
        "data=moons",
        f"schedule.epochs={epochs}",
        f"maturity.threshold={threshold}",
    )
    dataset = run.data.load()
    device = torch.device("cpu")
    classifier = frozen(train([run], dataset, device=device).classifier, slice(None))
    factual = dataset.features[:ROWS].unsqueeze(0)
    target = 1 - predict(classifier, factual)
    search = stacked_search(run, 1)

    def batched() -> None:
        search(classifier, factual, target, constraints=dataset.constraints)

    steps = search(classifier, factual, target, constraints=dataset.constraints).steps
    together = _milliseconds(batched, REPEATS)
    single = _milliseconds(
        lambda: _row_by_row(run, search, classifier, factual, target, dataset), 3
    )
    alone = single * ROWS / LOOP_ROWS
    print(
        f"{epochs:4d} epochs {threshold:13.4f} {steps.double().mean():7.1f}"
        f" {together:9.1f} {alone:12.0f} {alone / together:7.0f}",
        flush=True,
    )


def _row_by_row(
    run: Run,
    search: CounterfactualSearch,
    classifier: torch.nn.Module,
    factual: Tensor,
    target: Tensor,
    dataset: object,
) -> None:
    """Plain autograd for each of the first rows, stopping where it is mature."""
    constraints = dataset.constraints  # type: ignore[attr-defined]
    decay = run.search.max_steps // 25 / 10
    for row in range(LOOP_ROWS):
        origin, label = factual[0, row], target[0, row]
        x = origin.clone()
        for step in range(run.search.max_steps):
            x.requires_grad_()
            logits = classifier(x.view(1, 1, -1))[0, 0]
            if torch.softmax(logits, 0)[label] >= run.maturity.threshold:  # type: ignore[attr-defined]
                break
            energy = -logits[label]
            schedule = decay * (1 + step + 1) ** -0.9
            loss = torch.nn.functional.cross_entropy(logits, label)
            loss = loss + 0.001 * (x - origin).abs().sum()
            loss = loss + 5.0 * schedule * (energy + 0.001 * energy**2)
            (gradient,) = torch.autograd.grad(loss, x)
            x = x.detach() - run.search.step_size * gradient
            x = torch.clamp(x, constraints.lower, constraints.upper)


def _milliseconds(work: Callable[[], None], repeats: int) -> float:
    work()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        spent.append(1000 * (time.perf_counter() - start))
    return statistics.median(spent)


if __name__ == "__main__":
    main()
