import json

import pandas as pd
import pytest

from cftrain.config.identity import describe
from cftrain.results.settings import setting
from tests.console import TINY_MOONS, run_of


def cell(*overrides: str, source: str = "generated") -> pd.Series:
    described = describe(run_of(*TINY_MOONS, *overrides), incidental=True)
    return pd.Series({"config": json.dumps(described), "data_source": source})


@pytest.mark.parametrize("other", ["seed=9", "evaluation.rounds=3"])
def test_training_seeds_and_evaluations_share_a_setting(other):
    assert setting(cell(other)) == setting(cell())


@pytest.mark.parametrize(
    "other", ["objective.ridge_weight=0.3", "data.noise=0.2", "data.draw_seed=9"]
)
def test_other_trainings_are_other_settings(other):
    assert setting(cell(other)) != setting(cell())


def test_the_seed_of_an_autoencoder_is_no_training_seed():
    first = setting(cell("generator=revise", "generator.vae.seed=1"))
    assert first != setting(cell("generator=revise", "generator.vae.seed=2"))


def test_so_is_another_source_of_the_data():
    assert setting(cell(source="parquet")) != setting(cell())


def test_where_the_data_are_does_not_matter():
    places = [
        pd.Series(
            {"config": json.dumps({"data": {"root": root}}), "data_source": "parquet"}
        )
        for root in ("here", "there")
    ]
    assert setting(places[0]) == setting(places[1])
