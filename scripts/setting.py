"""The work that the benchmarks time: the published cell on Moons.

3,000 rows in batches of 30, an MLP of 32 hidden units, 1,000 counterfactuals per epoch
with at most 30 steps, ECCo with the paper's default hyperparameters.
"""

from dataclasses import replace

import torch
from hydra import compose, initialize_config_dir

from cftrain import stacking
from cftrain.commands.command_line.options import Options, read
from cftrain.config.tree import folder
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.training.run import Run


def cell(*overrides: str) -> Run:
    """The run of a configuration."""
    with initialize_config_dir(str(folder()), version_base="1.3"):
        run, _ = read(compose("run", overrides=[*overrides, "compare=none"]), Options)
    return run


def replicas(run: Run, count: int) -> list[Run]:
    """The run with seeds 0, 1, 2, ..."""
    return [replace(run, seed=seed) for seed in range(count)]


def stacked_search(run: Run, count: int) -> CounterfactualSearch:
    return stacking.stack(
        [run.counterfactual_search()] * count,
        dtype=torch.float32,
        device=torch.device("cpu"),
    )
