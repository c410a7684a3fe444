"""Search through `cftrain.search_counterfactuals` on a plain torch network against the
native search on the same weights, in one run.

The network is the nn.Sequential of a trained model, its rows are those of Moons. The
two take turns, one thread; the bar is 1.3 times.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

import torch
from setting import cell, stacked_search
from torch import Tensor, nn

import cftrain
from cftrain.models.stack_slicing import frozen, predict
from cftrain.training.run import Run
from cftrain.training.stack import train

REPEATS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=(10, 100, 1000, 10_000))
    rows = parser.parse_args().rows
    torch.set_num_threads(1)
    run = cell("data=moons", "schedule.epochs=10")
    dataset = run.data.load()
    trained = train([run], dataset, device=torch.device("cpu")).classifier
    print(f"Search on Moons, milliseconds (median of {REPEATS})")
    print("  rows    native   nn.Sequential   ratio   same rows")
    for count in rows:
        places = torch.arange(count) % len(dataset.features)
        _report(run, trained, dataset.features[places], dataset.constraints)


def _report(
    run: Run, trained: nn.Module, rows: Tensor, constraints: cftrain.Constraints
) -> None:
    classifier = frozen(trained, slice(None))
    net = plain(trained.state_dict())
    target = 1 - predict(classifier, rows.unsqueeze(0))[0]
    search = stacked_search(run, 1)

    def native() -> Tensor:
        found = search(
            classifier, rows.unsqueeze(0), target.unsqueeze(0), constraints=constraints
        )
        return found.counterfactual

    def called() -> Tensor:
        found = cftrain.search_counterfactuals(
            net, rows, target, constraints=constraints
        )
        return found.counterfactual

    same = torch.isclose(native(), called(), atol=1e-4).all(-1).double().mean()
    one, other = _turns(native, called)
    print(
        f"{len(rows):6d} {one:9.1f} {other:15.1f} {other / one:7.2f} {same:11.0%}",
        flush=True,
    )


def plain(weights: Mapping[str, Tensor]) -> nn.Sequential:
    """Returns the network of a stack of one without its stack axis."""
    layers: list[nn.Module] = []
    for name in sorted(name for name in weights if name.endswith("weight")):
        weight, bias = weights[name][0], weights[name.replace("weight", "bias")][0]
        layer = nn.Linear(*reversed(weight.shape))
        layer.load_state_dict({"weight": weight, "bias": bias})
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _turns(*works: Callable[[], Tensor]) -> list[float]:
    """Median milliseconds of each, in turns: other work may share the cores."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(REPEATS):
        for work, times in zip(works, spent, strict=True):
            start = time.perf_counter()
            work()
            times.append(1000 * (time.perf_counter() - start))
    return [statistics.median(times) for times in spent]


if __name__ == "__main__":
    main()
