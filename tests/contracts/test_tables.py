"""Tables of the configuration ask for what there is."""

from typing import Any

import pytest
from omegaconf import OmegaConf

from cftrain.config import tree
from cftrain.config.identity import describe
from cftrain.results.leaves import value_at
from tests.console import run_of


def configured(path: str) -> Any:
    loaded = OmegaConf.load(tree.folder() / path)
    return OmegaConf.to_container(loaded, resolve=False)


HYPERPARAMETERS = [
    column["shows"]["key"]
    for column in configured("table/hyperparameters.yaml")["columns"]
]


@pytest.mark.parametrize("key", HYPERPARAMETERS)
def test_runs_have_the_hyperparameters_that_are_shown(key):
    assert value_at(describe(run_of("data=moons")), key) is not None


def test_autoencoders_are_numbered_by_an_axis_of_their_grid():
    table, grid = (
        configured("table/revise_vae.yaml"),
        configured("grid/revise_vae.yaml"),
    )
    assert table["grid"] == grid["name"]
    assert table["axis"] in grid["axes"]


def test_draws_are_those_of_their_grid():
    grid = configured("grid/draws.yaml")
    drawn = [
        column["trained"]
        for column in configured("table/draws.yaml")["columns"]
        if column["key"].endswith("_draws")
    ]
    for trained in drawn:
        assert trained["grids"] == [grid["name"]]
        assert set(trained["varies"]) == {"seed", *grid["tied"]}
