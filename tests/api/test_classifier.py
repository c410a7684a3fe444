"""The scikit-learn estimator."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import cftrain
from cftrain.errors import ArgumentError, ConfigError, DataError, ResultError
from tests.api.loans import QUICK, estimator, loans
from tests.console import call

FRAME, LABELS = loans()


@pytest.fixture(scope="module")
def fitted():
    return estimator(immutable=["age"], epochs=8).fit(FRAME, LABELS)


def test_it_trains_as_the_command_does_bit_for_bit(tmp_path):
    """On the same rows, a part of which is for tests."""
    share = "data.test_share=0.2"
    clf = estimator(immutable=["age"], overrides=[*QUICK, share])
    clf.fit(FRAME, LABELS)
    FRAME.assign(repaid=LABELS).to_parquet(tmp_path / "frame.parquet")
    words = (
        *("data=table", "data.path=frame.parquet", "data.label=repaid", share),
        *("data.immutable=[age]", "seed=0", "schedule.epochs=3", *QUICK),
        *("objective=full", "compare=none", "hydra.run.dir=out"),
        "evaluation.rounds=1",
    )
    done = call("train", *words, cwd=tmp_path, CFTRAIN_DATA=None)
    assert done.code == 0, done.err
    (path,) = (tmp_path / "out" / "weights").glob("*.safetensors")
    results = cftrain.read_results(tmp_path / "out")
    own, weights = clf._content.model.model.state_dict(), load_file(path)
    assert weights.keys() == own.keys()
    for name, values in weights.items():
        assert torch.equal(values, own[name][0]), name
    columns = [name for name in clf.history_ if name != "seconds"]
    assert clf.history_[columns].equals(results.history[columns])


def test_it_learns_from_all_rows(fitted):
    counts = fitted._content.cells.iloc[0]
    assert counts["train_rows"] == 108
    assert counts["test_rows"] == 0
    assert len(fitted._content.model.reference.features) == 120


def test_what_is_known_after_fitting(fitted):
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert fitted.feature_names_in_.tolist() == list(FRAME)
    assert fitted.n_features_in_ == 4
    assert fitted.history_["epoch"].tolist() == [*range(1, 9)]
    assert "age" in fitted.told_
    assert "/tmp" not in fitted.told_


def test_answers_agree_with_each_other(fitted):
    probabilities = fitted.predict_proba(FRAME)
    assert probabilities.shape == (120, 2)
    assert np.allclose(probabilities.sum(1), 1)
    decided = fitted.classes_[probabilities.argmax(1)]
    assert (fitted.predict(FRAME) == decided).all()
    odds = fitted.decision_function(FRAME)
    assert np.allclose(odds, np.log(probabilities[:, 1] / probabilities[:, 0]))
    assert fitted.score(FRAME, LABELS) == np.mean(decided == LABELS)


def test_labels_of_any_kind_come_back_as_they_are():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    for classes in ([3, 10, -1], ["b", "a", "c"], [2.0, 1.0, 0.0]):
        labels = np.array(classes)[np.arange(60) % 3]
        clf = estimator().fit(rows, labels)
        assert clf.classes_.tolist() == sorted(classes)
        assert set(clf.predict(rows)) <= set(classes)
        assert clf.decision_function(rows).shape == (60, 3)
        assert (
            clf.explain(rows[:1], target=classes[0])[0].target
            == (clf._content.model.class_names[sorted(classes).index(classes[0])])
        )
    assert estimator().fit(rows, rows[:, 0] > 0).classes_.tolist() == [False, True]


def test_the_answers_are_those_of_the_command(fitted, tmp_path):
    fitted.save(tmp_path / "saved", onnx=False)
    rows = FRAME.head(30)
    rows.to_parquet(tmp_path / "rows.parquet")
    words = ("count=2", "search.max_steps=60", "target=yes")
    done = call(
        *("explain", "saved", "rows=rows.parquet", *words, "immutable=[purpose]"),
        cwd=tmp_path,
        CFTRAIN_DATA=None,
    )
    assert done.code == 0, done.err
    told = fitted.explain(
        rows,
        target="yes",
        count=2,
        immutable=["purpose"],
        overrides=["search.max_steps=60"],
    )
    assert str(told) + "\n" == done.out
    assert any(each.answers for each in told)
    words = (*words, "immutable=[purpose]", "format=parquet", "output=told.parquet")
    done = call("explain", "saved", "rows=rows.parquet", *words, cwd=tmp_path)
    assert done.code == 0, done.err
    stored = pd.read_parquet(tmp_path / "told.parquet")
    pd.testing.assert_frame_equal(told.frame, stored)
    assert len(told[:3]) == 3


@pytest.mark.usefixtures("unchecked")  # torch exports what it can trace
def test_a_saved_folder_is_that_of_the_export(fitted, tmp_path):
    found = fitted.save(tmp_path / "saved", reference=False, data_licence="CC0")
    names = {path.name for path in found.iterdir()}
    assert {"MODEL_CARD.md", "model.onnx", "manifest.json", "weights"} <= names
    assert "reference.safetensors" not in names
    card = (found / "MODEL_CARD.md").read_text()
    assert "licence: CC0" in card
    assert "108 training, 12 validation and 0 test rows" in card
    with pytest.raises(ResultError):
        fitted.save(found)


def test_a_copy_answers_the_same(fitted):
    copied = pickle.loads(pickle.dumps(fitted))
    assert (copied.predict_proba(FRAME) == fitted.predict_proba(FRAME)).all()
    assert str(copied.explain(FRAME.head(3))) == str(fitted.explain(FRAME.head(3)))
    fresh = clone(fitted)
    assert fresh.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(FRAME)


def test_a_seed_decides_alone(fitted):
    again = clone(fitted).fit(FRAME, LABELS)
    assert (again.predict_proba(FRAME) == fitted.predict_proba(FRAME)).all()
    other = clone(fitted).set_params(random_state=1).fit(FRAME, LABELS)
    assert (other.predict_proba(FRAME) != fitted.predict_proba(FRAME)).any()
    drawn = estimator(random_state=np.random.RandomState(3)).fit(FRAME, LABELS)
    assert drawn.score(FRAME, LABELS) > 0


def test_it_goes_into_pipelines_and_searches():
    rows = FRAME[["age", "debt"]]
    chain = make_pipeline(StandardScaler(), estimator())
    assert len(cross_val_score(chain, rows, LABELS, cv=2)) == 2
    grid = {"epochs": [1, 2], "objective": ["full", "vanilla"]}
    found = GridSearchCV(estimator(), grid, cv=2, refit=False).fit(FRAME, LABELS)
    assert len(found.cv_results_["params"]) == 4
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


def test_constraints_are_kept(fitted):
    clf = estimator(
        immutable=["purpose"],
        increase=["age"],
        domain={"debt": (np.float64(0), None)},
        levels={"purpose": ("study", "car", "home")},
        missing={"income": "drop_rows"},
        epochs=8,
    ).fit(FRAME, LABELS)
    for each in clf.explain(FRAME.dropna().head(20)):
        for answer in each.answers:
            for change in answer.changes:
                assert change.column != "purpose"
                assert change.column != "age" or change.by > 0
                assert change.column != "debt" or change.after >= 0


def test_equal_weights_of_rows_are_none_bit_for_bit(fitted):
    again = clone(fitted).fit(FRAME, LABELS, sample_weight=[0.1] * len(FRAME))
    assert (again.predict_proba(FRAME) == fitted.predict_proba(FRAME)).all()
    assert "weights of rows: weight" in again.told_


def test_rows_count_by_their_weights_as_the_command_counts_them(tmp_path):
    weights = np.where(LABELS == "yes", 5, FRAME["age"] > 40)
    share = "data.test_share=0.2"
    told = estimator(overrides=[*QUICK, share])
    clf = clone(told).fit(FRAME, LABELS, sample_weight=weights)
    plain = told.fit(FRAME, LABELS)
    assert (clf.predict(FRAME) == "yes").sum() > (plain.predict(FRAME) == "yes").sum()
    frame = FRAME.assign(repaid=LABELS, times=weights)
    frame.to_parquet(tmp_path / "frame.parquet")
    words = (
        *("data=table", "data.path=frame.parquet", "data.label=repaid", share),
        *("data.weight=times", "seed=0", "schedule.epochs=3", *QUICK),
        *("objective=full", "compare=none", "hydra.run.dir=out"),
        "evaluation.rounds=1",
    )
    done = call("train", *words, cwd=tmp_path, CFTRAIN_DATA=None)
    assert done.code == 0, done.err
    (path,) = (tmp_path / "out" / "weights").glob("*.safetensors")
    card = (clf.save(tmp_path / "saved", onnx=False) / "MODEL_CARD.md").read_text()
    assert "rows weighted by weight" in card
    own = clf._content.model.model.state_dict()
    assert all(torch.equal(v, own[name][0]) for name, v in load_file(path).items())


def test_weights_go_through_pipelines_and_searches():
    rows, weights = FRAME[["age", "debt"]], np.arange(len(FRAME))
    chain = make_pipeline(StandardScaler(), estimator(objective="vanilla", epochs=1))
    name = "counterfactualtrainingclassifier__sample_weight"
    chain.fit(rows, LABELS, **{name: weights})
    grid = {"objective": ["vanilla"]}
    found = GridSearchCV(estimator(epochs=1), grid, cv=2, refit=False)
    found.fit(rows, LABELS, sample_weight=weights)
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ([1] * 119, r"one number for each of 120 rows, got the shape \(119,\)"),
        (1.0, r"got the shape \(\)"),
        (np.ones((120, 1)), r"got the shape \(120, 1\)"),
        (
            [-1, *[1] * 119],
            "numbers of 0 or more, not all zero, got 1 others, such as -1",
        ),
        ([np.nan, *[1] * 119], "got 1 others, such as nan"),
        ([np.inf, *[1] * 119], "got 1 others, such as inf"),
        ([0] * 120, "got zero for all rows"),
        (["much"] * 120, "sample_weight: expected numbers, got"),
    ],
)
def test_what_is_no_weight_is_told_and_changes_nothing(fitted, weights, told):
    before = dict(fitted.__dict__)
    with pytest.raises((ArgumentError, DataError), match=told):
        fitted.fit(FRAME, LABELS, sample_weight=weights)
    assert fitted.__dict__ == before


def test_portions_are_not_pretended():
    assert not hasattr(estimator(), "partial_fit")
    assert "n_jobs" not in estimator().get_params()


BAD_FITS = [
    ({}, FRAME, LABELS[:-1], ValueError, "inconsistent numbers"),
    ({}, FRAME, None, ValueError, "y cannot be None|requires y"),
    ({}, FRAME, LABELS.where(LABELS == "yes"), DataError, "NaN or None"),
    ({}, FRAME, np.zeros(120), DataError, "at least 2 classes"),
    ({}, FRAME, np.linspace(0, 1, 120), ValueError, "continuous"),
    ({}, FRAME.iloc[:, :0], LABELS, ValueError, "expected columns of the table"),
    ({}, FRAME.assign(age=[[1]] * 120), LABELS, DataError, "single value.*age"),
    ({}, FRAME.assign(debt=[*FRAME["debt"][1:], np.inf]), LABELS, DataError, "debt"),
    ({}, FRAME.set_axis(list("aacd"), axis=1), LABELS, DataError, "different names"),
    ({"immutable": ["agee"]}, FRAME, LABELS, ConfigError, "columns of the table"),
    ({"domain": {"age": (9, 1)}}, FRAME, LABELS, ConfigError, "low < high"),
    ({"model": "mpl"}, FRAME, LABELS, ConfigError, "did you mean 'mlp'"),
    ({"budget": "1 %"}, FRAME, LABELS, ArgumentError, "budget: expected a share"),
    ({"budget": {"price": 1}}, FRAME, LABELS, ConfigError, "budget.price"),
    ({"epochs": 0}, FRAME, LABELS, ConfigError, "schedule.epochs: expected"),
    ({"device": "tpu"}, FRAME, LABELS, ConfigError, "cpu or cuda"),
    ({"random_state": -1}, FRAME, LABELS, ConfigError, "seed: expected"),
    ({"overrides": "seed=1"}, FRAME, LABELS, ArgumentError, "a list of texts"),
    ({"overrides": ["sead=1"]}, FRAME, LABELS, ConfigError, "did you mean 'seed'"),
]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("given", "rows", "labels", "kind", "told"), BAD_FITS)
def test_a_bad_fit_is_told_and_changes_nothing(fitted, given, rows, labels, kind, told):
    clf = pickle.loads(pickle.dumps(fitted)).set_params(**given)
    before = dict(clf.__dict__)
    with pytest.raises(kind, match=told) as found:
        clf.fit(rows, labels)
    assert "/tmp" not in str(found.value)
    assert clf.__dict__ == before
    assert (clf.predict(FRAME) == fitted.predict(FRAME)).all()


BAD_ROWS = [
    (FRAME.rename(columns={"age": "agee"}), ValueError, "unseen at fit time"),
    (FRAME.drop(columns="age"), ValueError, "now missing"),
    (FRAME[[*FRAME][::-1]], ValueError, "same order"),
    (FRAME.assign(debt=np.nan), DataError, "debt.*missing"),
    (FRAME.assign(age="x"), DataError, "age.*numbers"),
    (FRAME.assign(purpose="boat"), DataError, "purpose.*boat"),
]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("rows", "kind", "told"), BAD_ROWS)
def test_rows_of_other_columns_are_refused(fitted, rows, kind, told):
    for answer in (fitted.predict, fitted.predict_proba, fitted.explain):
        with pytest.raises(kind, match=told):
            answer(rows)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"target": "maybe"}, "target: expected one of the classes 'no', 'yes'"),
        ({"immutable": ["agee"]}, "immutable: expected columns"),
        ({"count": 0}, "count: expected"),
        ({"overrides": ["serch.max_steps=3"]}, "did you mean"),
    ],
)
def test_questions_without_answer_are_told(fitted, given, told):
    with pytest.raises(ConfigError, match=told):
        fitted.explain(FRAME, **given)


def test_without_an_objective_there_is_a_budget():
    words = [*QUICK, "budget.strengths=[0.1,1]", "budget.individuals=10"]
    found = estimator(objective=None, overrides=words).fit(FRAME, LABELS)
    assert found.budget_["strength"].tolist() == [0, 0.1, 1]
    assert found.budget_["config"].str.contains('"validity": 0.02').all()
    assert estimator().fit(FRAME, LABELS).budget_ is None


def test_a_budget_keeps_one_of_several_strengths():
    words = [*QUICK, "budget.strengths=[0.1,1]", "budget.individuals=10"]
    found = estimator(objective="aligned", budget=1, overrides=words)
    found.fit(FRAME, LABELS)
    assert found.budget_.query("kept")["strength"].tolist() == [1]
    assert found.history_["epoch"].tolist() == [1, 2, 3]
    assert found.explain(FRAME.head(1))
