"""Search through `cftrain.search_counterfactuals` on a plain torch network against the
native search on the same weights, in one run.

The network is the nn.Sequential of a trained model, its rows are those of Moons; and
the same within a class that nobody knows, which goes back by automatic differentiation
as most networks do. They take turns, one thread; the bar is 1.3 times for the first.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial

import torch
from setting import cell, stacked_search
from torch import Tensor, nn

import cftrain
from cftrain.models.stack_slicing import frozen, predict
from cftrain.training.run import Run
from cftrain.training.stack import train

REPEATS = 15


class Unknown(nn.Module):
    """The same network, of which nobody knows what it consists of."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, rows: Tensor) -> Tensor:
        logits: Tensor = self.inner(rows)
        return logits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=(10, 100, 1000, 10_000))
    rows = parser.parse_args().rows
    torch.set_num_threads(1)
    run = cell("data=moons", "schedule.epochs=10")
    dataset = run.data.load()
    trained = train([run], dataset, device=torch.device("cpu")).classifier
    print(f"Search on Moons, CPU milliseconds (median of {REPEATS})")
    print("  rows    native   nn.Sequential   ratio   class   ratio   same rows")
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

    def called(net: nn.Module) -> Tensor:
        found = cftrain.search_counterfactuals(
            net, rows, target, constraints=constraints
        )
        return found.counterfactual

    nets = (net, Unknown(net))
    same = [torch.isclose(native(), called(each), atol=1e-4).all(-1) for each in nets]
    one, *others = _turns(native, *(partial(called, each) for each in nets))
    print(
        f"{len(rows):6d} {one:9.1f} {others[0]:15.1f} {others[0] / one:7.2f}"
        f" {others[1]:7.1f} {others[1] / one:7.2f}"
        f" {torch.stack(same).double().mean():11.0%}",
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
            start = time.process_time()
            work()
            times.append(1000 * (time.process_time() - start))
    return [statistics.median(times) for times in spent]


if __name__ == "__main__":
    main()
