"""`cftrain evaluate FOLDER`: stored models are measured anew and never trained."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cftrain.config.tree import plain
from cftrain.grid import measured
from cftrain.results.leaves import value_at
from cftrain.results.store import Store, done, failed
from cftrain.training.trainer import Trainer
from tests.commands.grids import no_training, numbers, same_numbers
from tests.console import TINY, TINY_MOONS, Outcome, call, compose, files, spawn

FEW = tuple(word for word in TINY if word.startswith("evaluation."))
"""Overrides that make any evaluation last a moment."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A model and its baseline, evaluated once."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert call("train", *TINY_MOONS, f"hydra.run.dir={folder}").code == 0
    return folder


@pytest.fixture
def folder(trained, tmp_path, monkeypatch) -> Path:
    """A copy in which nothing may be trained."""
    monkeypatch.setattr(Trainer, "train", no_training)
    return Path(shutil.copytree(trained, tmp_path / "run"))


def evaluate(folder: Path, *overrides: str) -> Outcome:
    """A successful evaluation in this process; the training stays as it is."""
    before = {k: v for k, v in files(folder).items() if k.startswith(("cells", "w"))}
    outcome = call("evaluate", str(folder), "workers=1", *overrides)
    assert outcome.code == 0, outcome.err
    assert before.items() <= files(folder).items()
    return outcome


def protocols(folder: Path) -> list[dict]:
    """What is stored, the newest last."""
    return [json.loads(text) for text in Store(folder).protocols().values()]


def test_another_evaluation_by_its_name(folder, trained):
    words = ("evaluation=full", *FEW, "evaluation.metrics.unfaithfulness.steps=2")
    outcome = evaluate(folder, *words)
    assert "2 trained cells; 2 to evaluate in 1 stacks on 1 workers" in outcome.out
    assert "2 of 2 cells done" in outcome.out
    found = numbers(folder)
    assert "unfaithfulness" in set(found["metric"])
    assert found["protocol"].nunique() == 2
    kept = found[found["protocol"].isin(numbers(trained)["protocol"])]
    pd.testing.assert_frame_equal(
        kept.reset_index(drop=True), numbers(trained), check_exact=True
    )
    assert "0 to evaluate in 0 stacks" in evaluate(folder, *words).out
    same = numbers(folder)
    pd.testing.assert_frame_equal(same, found, check_exact=True)


def test_values_that_are_typed_change_the_protocol_that_each_model_has(folder):
    evaluate(folder, "evaluation.rounds=3")
    before, after = protocols(folder)
    assert (before["rounds"], after["rounds"]) == (2, 3)
    assert {**after, "rounds": 2} == before
    assert set(numbers(folder)["round"].dropna()) == {0, 1, 2}


def test_a_new_metric_is_measured_in_evaluation_time(folder):
    node = "{_target_: cftrain.evaluation.metrics.cost.Cost}"
    evaluate(folder, f"+evaluation.metrics.toll={node}")
    found = numbers(folder)
    newest = found[found["protocol"] == list(Store(folder).protocols())[-1]]
    toll, cost = (
        newest[newest["metric"] == name]["value"].reset_index(drop=True)
        for name in ("toll", "cost")
    )
    assert len(toll) > 0
    pd.testing.assert_series_equal(toll, cost, check_exact=True)
    evaluate(folder, "~evaluation.metrics.cost")
    _, with_both, with_toll = (set(each["metrics"]) for each in protocols(folder))
    assert with_both - with_toll == {"cost"}
    assert "toll" in with_toll, "typed values change the newest protocol"


def test_without_any_wish_there_is_nothing_to_do(folder):
    before = files(folder)
    assert "0 to evaluate in 0 stacks" in evaluate(folder).out
    assert files(folder) == before


def test_overwriting_measures_again(folder, trained):
    made = Store(folder).evaluations()["created"]
    assert "2 to evaluate" in evaluate(folder, "overwrite=true").out
    assert (Store(folder).evaluations()["created"] > made).all()
    same_numbers(folder, trained)


def test_workers_do_not_change_a_bit(folder, trained, tmp_path):
    other = Path(shutil.copytree(trained, tmp_path / "other"))
    evaluate(folder, "evaluation.rounds=3")
    words = ("evaluate", str(other), "evaluation.rounds=3")
    outcome = spawn(*words, "workers=2", "stack_width=1", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "in 2 stacks on 2 workers" in outcome.out
    same_numbers(other, folder)


def test_a_dry_run_writes_nothing(folder):
    before = files(folder)
    outcome = evaluate(folder, "evaluation.rounds=3", "--dry-run")
    assert "2 to evaluate" in outcome.out
    assert "evaluation only" in outcome.out
    assert files(folder) == before


def test_datasets_may_be_chosen(folder):
    assert (
        "2 to evaluate"
        in evaluate(folder, "datasets=[moons]", "evaluation.rounds=3", "--dry-run").out
    )
    message = call("evaluate", str(folder), "datasets=[adult]").message
    assert "expected trained models of adult, got those of moons" in message


def test_a_failing_metric_is_noted_and_tried_again(folder, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a metric that breaks")

    with monkeypatch.context() as patched:
        patched.setattr(measured, "evaluate", broken)
        words = ("evaluate", str(folder), "evaluation.rounds=3", "workers=1")
        outcome = call(*words)
    assert outcome.code == 1
    assert outcome.err.count("RuntimeError: a metric that breaks") == 2
    store = Store(folder)
    assert len(failed(store.evaluations())) == 2
    assert len(done(store.evaluations())) == 2, "those of the first protocol"
    assert "2 to evaluate" in evaluate(folder, "evaluation.rounds=3").out
    assert failed(store.evaluations()) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluation.round=3"], ["evaluation.round", "did you mean"]),
        (["evaluation.rounds=0"], ["evaluation.rounds: expected a whole number >= 1"]),
        (["+evaluation.metrics.x=3"], ["evaluation.metrics.x: expected a node whose"]),
        (["evaluation=nosuch"], ["evaluation/nosuch", "quick"]),
        (["seed=3"], ["seed"]),
        (["workers=0"], ["workers: expected a whole number >= 1, got 0"]),
    ],
)
def test_what_cannot_be_is_one_message(folder, words, said):
    before = files(folder)
    message = call("evaluate", str(folder), *words).message
    for text in said:
        assert text in message, message
    assert files(folder) == before


def test_a_key_that_the_stored_protocol_does_not_have_is_one_message(folder):
    """The packaged default has it; the models were evaluated without."""
    evaluate(folder, "~evaluation.metrics.pgd_accuracy")
    key = "evaluation.metrics.pgd_accuracy.constrained"
    message = call("evaluate", str(folder), f"{key}=true").message
    assert message.startswith(f"{key}: expected a key of the stored protocol")


def test_a_key_that_the_stored_protocol_alone_has_can_be_changed(folder):
    """The packaged default has no such key."""
    key = "evaluation.metrics.unfaithfulness.steps"
    assert value_at(plain(compose(root="evaluate")), key) is None
    evaluate(folder, "evaluation=full", *FEW, f"{key}=2")
    assert protocols(folder)[-1]["metrics"]["unfaithfulness"]["steps"] == 2
    evaluate(folder, f"{key}=3")
    changed = [found["metrics"].get("unfaithfulness") for found in protocols(folder)]
    assert sorted(found["steps"] for found in changed if found) == [2, 3]


def test_a_key_that_no_protocol_has_is_one_message(folder):
    message = call("evaluate", str(folder), "evaluation.round=3").message
    assert "evaluation.round: expected one of" in message
    assert "did you mean 'rounds'?" in message


def test_a_folder_without_models_is_one_message(tmp_path):
    message = call("evaluate", str(tmp_path), "evaluation=quick").message
    assert message.startswith(f"{tmp_path}: expected trained models")
    assert not files(tmp_path)


def test_models_that_were_never_evaluated_need_a_name(folder):
    shutil.rmtree(folder / "evaluations")
    message = call("evaluate", str(folder)).message
    assert "expected models that were evaluated before, got 2" in message
    assert "2 to evaluate" in evaluate(folder, "evaluation=quick", *FEW).out
