"""The parts that YAML names: a new file is found and tested without further ado."""

from pathlib import Path

import yaml

from cftrain.config.tree import folder
from cftrain.training.run import Run
from tests.console import run_of


def names(group: str) -> list[str]:
    return sorted(path.stem for path in Path(folder(), group).glob("*.yaml"))


def values(group: str, name: str) -> dict:
    return yaml.safe_load(Path(folder(), group, f"{name}.yaml").read_text())


COUNTERNET = ("model=counternet", "objective=counternet")
NEEDED = {"generator/counternet": COUNTERNET, "objective/counternet": COUNTERNET}
"""What options are of no use without."""


def run_with(group: str, name: str) -> Run:
    """The default run, but for one part; small enough for every dataset."""
    needed = NEEDED.get(f"{group}/{name}", ())
    small = ("schedule.batch_rows=30", "schedule.counterfactuals=30")
    return run_of(*needed, f"{group}={name}", *small)
