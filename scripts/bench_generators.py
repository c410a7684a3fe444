"""What an answer costs by each generator: one model, the same rows, one thread.

The model is a baseline trained for a few epochs; fitting what a generator learns from
observed rows (an autoencoder, the neighbours of each row) is told apart, since it is
done once. Times are CPU milliseconds for each answer; everybody takes turns.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from setting import cell

from cftrain.models.stack_slicing import frozen, predict
from cftrain.training.stack import train

GENERATORS = ("generic", "ecco", "revise", "nearest", "path")
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=("moons", "california_housing"))
    parser.add_argument("--rows", type=int, default=200)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(f"CPU milliseconds for each of {chosen.rows} answers, median of {REPEATS}")
    print("data                 generator   an answer      once   mature")
    for data in chosen.data:
        _report(data, chosen.rows)


def _report(data: str, count: int) -> None:
    words = (f"experiment={data}", "objective=vanilla", "schedule.epochs=20")
    dataset = cell(*words).data.load()
    trained = train([cell(*words)], dataset, device=torch.device("cpu")).classifier
    classifier = frozen(trained, slice(None))
    factual = dataset.test_features[:count].unsqueeze(0)
    target = (predict(classifier, factual) + 1) % dataset.classes
    for name in GENERATORS:
        search = cell(*words, f"generator={name}").counterfactual_search()
        search = replace(search, categories=search.categories.fitted(dataset.units))
        with tempfile.TemporaryDirectory() as cache:
            start = time.process_time()
            ready = search.generator.fitted(dataset.features, Path(cache))
            search = replace(search, generator=ready)
            # What is looked up at the first search belongs to it as well.
            found = search(classifier, factual, target, constraints=dataset.constraints)
            once = time.process_time() - start

        def answered(search: Callable = search) -> None:
            search(classifier, factual, target, constraints=dataset.constraints)

        each = statistics.median(_milliseconds(answered) for _ in range(REPEATS))
        share = found.mature.double().mean()
        print(
            f"{data:20s} {name:10s} {each / count:10.2f} {1000 * once:9.0f}"
            f" {share:8.0%}",
            flush=True,
        )


def _milliseconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


if __name__ == "__main__":
    main()
