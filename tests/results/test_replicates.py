import json

import pandas as pd
import pytest

from cftrain.config.identity import describe
from cftrain.results.replicates import replicate_key
from tests.console import TINY_MOONS, run_of

DRAWS = ("seed", "data.draw_seed")


def cell(*overrides: str, source: str = "generated") -> pd.Series:
    described = describe(run_of(*TINY_MOONS, *overrides))
    return pd.Series({"config": json.dumps(described), "data_identity": source})


@pytest.mark.parametrize("other", ["seed=9", "evaluation.rounds=3"])
def test_training_seeds_and_evaluations_make_no_difference(other):
    assert replicate_key(cell(other)) == replicate_key(cell())


@pytest.mark.parametrize(
    "other", ["objective.ridge_weight=0.3", "data.noise=0.2", "data.draw_seed=9"]
)
def test_other_trainings_are_no_replicates(other):
    assert replicate_key(cell(other)) != replicate_key(cell())


def test_draws_of_the_data_are_replicates_where_they_vary():
    drawn = cell("data.draw_seed=9", "seed=9")
    assert replicate_key(drawn, DRAWS) == replicate_key(cell(), DRAWS)
    noisy = cell("data.draw_seed=9", "data.noise=0.2")
    assert replicate_key(noisy, DRAWS) != replicate_key(cell(), DRAWS)


def test_what_varies_need_not_be_there():
    table = pd.Series({"config": '{"data": "adult"}', "data_identity": "parquet"})
    assert replicate_key(table, (*DRAWS, "model.width")) == replicate_key(table)


def test_the_seed_of_an_autoencoder_is_no_training_seed():
    first = replicate_key(cell("generator=revise", "generator.space.vae.seed=1"))
    second = replicate_key(cell("generator=revise", "generator.space.vae.seed=2"))
    assert first != second


def test_another_source_or_another_content_of_the_data_is_no_replicate():
    assert replicate_key(cell(source="parquet:1f")) != replicate_key(cell())
    first, second = cell(source="parquet:1f"), cell(source="parquet:2e")
    assert replicate_key(first) != replicate_key(second)
