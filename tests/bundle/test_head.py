"""A bundle of a model that answers with counterfactuals itself."""

import json
import shutil
from pathlib import Path

import pytest

from tests.advice.lent import TRAIN
from tests.bundle.sealing import explain_elsewhere, export
from tests.console import call

WORDS = ("format=json", "search.max_steps=7")
OWN = ("model=counternet", "objective=counternet", "generator=counternet")


@pytest.fixture(scope="module")
def headed(lent, tmp_path_factory) -> Path:
    """The same table, another model: trained, and exported without observed rows."""
    here = tmp_path_factory.mktemp("headed")
    for name in ("conf", "lending.parquet", "applicants.csv"):
        copy = shutil.copytree if (lent / name).is_dir() else shutil.copy
        copy(lent / name, here / name)
    words = (*TRAIN, *OWN, "evaluation/generator=counternet", "compare=none")
    done = call(*words, "schedule.epochs=15", cwd=here, CFTRAIN_DATA=str(here))
    assert done.code == 0, done
    export(here, "bundle", "reference=false")
    return here


def told(found) -> list[dict]:
    assert found.code == 0, found
    return [json.loads(line) for line in found.out.splitlines()]


@pytest.mark.parametrize("threshold", [(), ("threshold=0.6",)], ids=["even", "other"])
def test_a_bundle_answers_as_the_results_do_without_any_rows(headed, threshold):
    words = ("rows=applicants.csv", *WORDS, *threshold)
    here = call("explain", "outputs/all", *words, cwd=headed, CFTRAIN_DATA=str(headed))
    bundle = headed / "bundle"
    there = explain_elsewhere(bundle, headed / "applicants.csv", *WORDS, *threshold)
    answers = [each["answers"] for each in told(there)]
    assert len(answers) == 12
    for one, other in zip(told(here), told(there), strict=True):
        changes = [
            [answer["changes"] for answer in each["answers"]] for each in (one, other)
        ]
        assert changes[0] == changes[1]
        assert any(changes[0]), "something has to change"


def test_a_model_without_a_trained_head_is_not_asked_for_one(lent):
    words = ("explain", "outputs/all", "generator=counternet")
    found = call(*words, cwd=lent, CFTRAIN_DATA=str(lent))
    assert found.message == (
        "generator: expected another one for a model without a head that was trained "
        "(objective=counternet), got counternet"
    )


def test_the_card_tells_of_the_head(headed):
    card = " ".join((headed / "bundle" / "MODEL_CARD.md").read_text().split())
    assert "with a head beside it that answers with counterfactuals" in card
