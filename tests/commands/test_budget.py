"""`cftrain train budget.accuracy=...`: several strengths, and the one that is kept."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import cftrain
from cftrain.grid import worker
from cftrain.results.budget.table import BUDGETS, FILE, load_budgets
from cftrain.results.parts.parquet import read_parquet, write_parquet
from cftrain.results.store import Store, done
from tests.commands.grids import no_training
from tests.console import TINY_MOONS, Outcome, call

WORDS = (
    *TINY_MOONS,
    "objective=aligned",
    "budget.strengths=[0.1,1]",
    "budget.individuals=20",
)


def budgeted(folder: Path, *words: str) -> Outcome:
    outcome = call("train", *WORDS, *words, f"hydra.run.dir={folder}")
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, Outcome]:
    """A budget that allows anything, so that the strongest is kept."""
    folder = tmp_path_factory.mktemp("budget") / "run"
    return folder, budgeted(folder, "budget.accuracy=1")


def test_the_whole_curve_is_stored_told_and_drawn(finished):
    folder, outcome = finished
    curve = load_budgets(folder)
    assert curve["strength"].tolist() == [0, 0.1, 1]
    assert curve["kept"].tolist() == [False, False, True]
    assert set(curve["cell"]) == done(Store(folder).cells())
    assert "Kept: strength 1." in outcome.out
    counts = curve["rows"].iloc[0], curve["individuals"].iloc[0]
    assert "({}, and {} individuals)".format(*counts) in " ".join(outcome.out.split())
    (picture,) = (folder / "figures").glob("budget-*.png")
    assert f"picture: {picture}" in outcome.out


def test_test_rows_are_for_what_was_kept_and_the_baseline_alone(finished):
    folder, _ = finished
    curve = load_budgets(folder)
    evaluated = set(Store(folder).evaluations()["cell"])
    kept, base = curve[curve["kept"]]["cell"].item(), curve["baseline"].iloc[0]
    assert evaluated == {kept, base}


def test_the_models_are_those_of_trainings_without_a_budget(finished, tmp_path):
    folder, _ = finished
    words = [*TINY_MOONS, "objective=aligned", "objective.strength=0.1"]
    alone = cftrain.train(words, folder=tmp_path / "alone")
    curve = load_budgets(folder)
    assert alone.model == curve["cell"][curve["strength"] == 0.1].item()
    assert alone.baseline == curve["baseline"].iloc[0]
    assert alone.budget is None


def test_the_kept_model_is_explained(finished, tmp_path):
    folder, _ = finished
    kept = load_budgets(folder).query("kept")["cell"].item()
    outcome = call("export", str(folder), str(tmp_path / "bundle"), "onnx=false")
    assert f"model {kept}:" in outcome.out


def test_another_budget_chooses_anew_and_trains_nothing(finished, monkeypatch):
    folder, _ = finished
    monkeypatch.setattr(worker, "train", no_training)
    words = ("budget.accuracy=0", "budget.standard_errors=1000")
    outcome = budgeted(folder, *words)
    curve = load_budgets(folder).sort_values("created")
    assert curve["budget"].nunique() == 2
    newest = curve[curve["budget"] == curve["budget"].iloc[-1]]
    costs = newest["accuracy_loss"] + 1000 * newest["accuracy_error"]
    assert newest["within"].tolist() == [True, *(costs[1:] <= 0)]
    kept = newest[newest["within"]]["strength"].max()
    assert newest[newest["kept"]]["strength"].tolist() == [kept]
    assert ("Kept: the baseline." in outcome.out) == (kept == 0)


def rewritten(
    folder: Path, place: Path, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Path:
    """A copy of results, with changes to each row of their budgets."""
    copy = shutil.copytree(folder, place / "run")
    rows = read_parquet(copy / FILE, BUDGETS).to_pylist()
    changed = [{**row, **change(row)} for row in rows]
    write_parquet(copy / FILE, pa.Table.from_pylist(changed, schema=BUDGETS))
    return copy


def test_a_curve_that_kept_another_model_is_measured_again(finished, tmp_path):
    """Whoever has changed the table chooses no model by it."""
    folder = rewritten(
        finished[0],
        tmp_path,
        lambda row: {"cell": "0abc" if row["kept"] else row["cell"]},
    )
    outcome = budgeted(folder, "budget.accuracy=1")
    assert "Kept: strength 1." in outcome.out
    found = load_budgets(folder).sort_values("created")
    newest = found[found["budget"] == found["budget"].iloc[-1]]
    assert set(newest["cell"]) <= done(Store(folder).cells())


def test_a_baseline_that_is_one_of_the_strengths_is_tried_once(tmp_path):
    words = ["objective=adversarial", "compare=adversarial", "budget.accuracy=1"]
    for _ in range(2):  # what was written is read
        budgeted(tmp_path / "run", *words)
    assert load_budgets(tmp_path / "run")["strength"].tolist() == [0, 0.1]


def test_no_picture_is_drawn_outside_the_folder(finished, tmp_path):
    """A run without a budget tells the curve of an earlier one that kept its model."""
    folder = rewritten(finished[0], tmp_path, lambda row: {"budget": "../../escape"})
    words = [*TINY_MOONS, "objective=aligned", "objective.strength=1"]
    outcome = call("train", *words, f"hydra.run.dir={folder}")
    assert outcome.code == 2
    assert "column budget: expected an id" in outcome.err
    assert not list(tmp_path.glob("*.png"))


def test_python_gets_the_curve(finished):
    folder, _ = finished
    found = cftrain.train([*WORDS, "budget.accuracy=1"], folder=folder)
    assert found.budget is not None
    assert found.model == found.budget.query("kept")["cell"].item()
    assert found.baseline == found.budget["baseline"].iloc[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["objective=vanilla"], "objective: expected one with a term of the logits"),
        (
            ["model=counternet", "objective=counternet"],
            "objective: expected one with a term of the logits besides the class loss",
        ),
        (["objective.strength=0.1"], "objective.strength: expected none beside"),
        (["budget.measure=beauty"], "budget.measure: expected strength or one of"),
        (["budget.strengths=[0]"], "budget.strengths: expected different numbers"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, words, told):
    outcome = call(
        "train",
        *WORDS[:-2],
        "budget.accuracy=0.01",
        *words,
        f"hydra.run.dir={tmp_path}",
    )
    assert outcome.message.startswith(told)


def test_a_grid_keeps_no_single_model(tmp_path):
    outcome = call("grid", "budget.accuracy=0.01", f"hydra.run.dir={tmp_path}")
    assert outcome.message.startswith("budget: expected of cftrain train alone")
