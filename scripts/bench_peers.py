"""Our search beside those of other libraries: the same network, rows and limits.

The network is the baseline of GMSC (ten numbers, an MLP of 32 units, age immutable),
trained here for a few epochs. Each library searches counterfactuals of the first test
rows that it is given time for, on one thread; what it returns is judged in one way:

valid       predicted as the target, of the rows tried
cost        mean L1 distance of the valid ones to their rows, in standardised units
violations  share of answers that move the age or leave the domain
"""

import argparse
import time
import warnings
from collections.abc import Mapping
from importlib.metadata import version

import torch
from bench_api import plain
from peers import NEAREST, Search, Task, dice, foolbox, mlxtend, one_by_one, ours
from setting import cell
from tabulate import tabulate
from torch import Tensor

from cftrain.training.stack import train

TOLERANCE = 1e-4
"""In standardised units: what rounding alone may break."""

SEARCHES: Mapping[str, tuple[Search, int]] = {
    "cftrain, generic": (ours(*NEAREST, generator="generic", threshold=0.5), 1000),
    "cftrain, generic, row by row": (
        one_by_one(ours(*NEAREST, generator="generic", threshold=0.5)),
        50,
    ),
    "cftrain, ecco to 0.75": (ours(generator="ecco", threshold=0.75), 1000),
    "DiCE, gradient": (dice("gradient"), 1),
    "DiCE, random": (dice("random"), 20),
    "mlxtend": (mlxtend, 20),
    "foolbox, EAD": (foolbox, 1000),
}
"""Each search and how many rows it is given."""

WARMED_UP = 10
"""Rows from which on a search is called once before it is timed: what is loaded or
compiled then does not count.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", default=list(SEARCHES))
    parser.add_argument("--share", type=float, default=1.0, help="of the rows")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    whole = task()
    lines = []
    for name in arguments.only:
        search, rows = SEARCHES[name]
        given = whole.first(max(1, round(arguments.share * rows)))
        if len(given.rows) >= WARMED_UP:
            search(whole.first(1))
        start = time.process_time()
        found = search(given)
        lines.append(
            [name, len(given.rows), *judged(given, found, time.process_time() - start)]
        )
        print(f"{name}: done", flush=True)
    print(tabulate(lines, HEADERS, tablefmt="github", floatfmt=FORMATS))
    versions = ("cftrain", "dice-ml", "mlxtend", "foolbox", "torch")
    print(", ".join(f"{name} {version(name)}" for name in versions))


HEADERS = ("search", "rows", "rows per CPU second", "valid", "cost", "violations")
FORMATS = ("", "", ".3g", ".3f", ".3f", ".3f")


def task() -> Task:
    """The baseline of GMSC with age immutable, and test rows that it decides."""
    run = cell("experiment=gmsc_protected", "objective=vanilla", "schedule.epochs=30")
    dataset = run.data.load()
    trained = train([run], dataset, device=torch.device("cpu")).classifier
    net = plain(trained.state_dict())
    rows = dataset.test_features
    with torch.no_grad():
        target = 1 - net(rows).argmax(-1)
    return Task(
        net=net,
        rows=rows,
        target=target,
        observed=dataset.features,
        labels=dataset.labels,
        constraints=dataset.constraints,
        names=dataset.feature_names,
    )


def judged(task: Task, found: Tensor, seconds: float) -> tuple[float, ...]:
    """Rows per second, validity, cost and violations of what was found."""
    answered = found.isfinite().all(1)
    with torch.no_grad():
        reached = task.net(found.nan_to_num()).argmax(-1) == task.target
    valid = answered & reached
    move = (found - task.rows).abs()
    cost = move[valid].sum(1).double().mean()
    broken = _violated(task, found)[answered].double().mean()
    share = valid.double().mean()
    return len(task.rows) / seconds, float(share), float(cost), float(broken)


def _violated(task: Task, found: Tensor) -> Tensor:
    """Which answers leave the domain or move what may not move so, where the factual
    itself does not.
    """
    limits = task.constraints
    low = torch.minimum(limits.lower, task.rows) - TOLERANCE
    high = torch.maximum(limits.upper, task.rows) + TOLERANCE
    move = found - task.rows
    up = (move > TOLERANCE) & ~limits.may_increase
    down = (move < -TOLERANCE) & ~limits.may_decrease
    return ((found < low) | (found > high) | up | down).any(1)


if __name__ == "__main__":
    main()
