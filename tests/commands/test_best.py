"""`cftrain best`, and what sweeps go by: measured on validation rows."""

import math
import re
import shlex
from pathlib import Path

import pytest
import yaml

from cftrain.commands.command_line import optimized
from cftrain.data.sampling import training_rows
from cftrain.models.stack_slicing import predict
from cftrain.results.store import Store
from cftrain.seeding import Stream
from cftrain.training.restore import restore
from tests.console import ROOT, TINY_MOONS, call, spawn

WORDS = (*TINY_MOONS, "compare=none")


def accuracy(folder: Path, cell: str) -> float:
    """That of a stored model on its validation rows, found another way."""
    found = restore(Store(folder), [cell])
    (run,) = found.runs
    rows = training_rows(found.dataset, [Stream(run.seed).child("split")]).validation[0]
    said = predict(found.classifier, found.dataset.features[rows].unsqueeze(0))[0]
    return float((said == found.dataset.labels[rows]).double().mean())


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A small grid with two seeds, and what the command said in the end."""
    folder = tmp_path_factory.mktemp("tuned")
    fixed = ("evaluation.", "schedule.counterfactuals")
    words = [word for word in WORDS if not word.startswith(fixed)]
    outcome = call(
        *("grid", "grid=tune", *words, "workers=1"),
        "grid.axes={maturity.threshold: [0.5, 0.9], seed: [1, 2]}",
        "grid.fixed={schedule.counterfactuals: 16, evaluation: quick, "
        "evaluation.rounds: 2, evaluation.individuals: 6, "
        "evaluation.search.max_steps: 6}",
        f"hydra.run.dir={folder}",
    )
    assert outcome.code == 0, outcome
    return folder, outcome.out


def test_a_grid_for_tuning_ends_with_the_best_setting(tuned):
    folder, said = tuned
    assert "moons: 2 settings by ip (L1, lower is better) on validation rows" in said
    assert "Bonferroni" in said
    told = call("best", str(folder)).out
    assert said.endswith(told)


def test_the_numbers_are_those_of_validation_rows(tuned):
    folder, _ = tuned
    out = call("best", str(folder), "metric=accuracy").out
    cells = Store(folder).cells()
    by_threshold: dict[str, list[float]] = {"0.5": [], "0.9": []}
    for row in cells.to_dict("records"):
        key = "0.9" if '"threshold": 0.9' in row["config"] else "0.5"
        by_threshold[key].append(accuracy(folder, row["cell"]))
    for threshold, values in by_threshold.items():
        mean = sum(values) / len(values)
        assert re.search(rf"^{threshold} +{mean:.4g} ", out, re.MULTILINE), out


def test_other_metrics_are_refused(tuned):
    folder, _ = tuned
    said = call("best", str(folder), "metric=ipp").message
    assert said.startswith("metric: expected one of accuracy, balanced_accuracy,")
    assert said.endswith("which the evaluation measures, got 'ipp'")
    assert "expected a folder" in call("best", "/nope").message


def test_a_sweep_is_told_what_it_optimises(tmp_path):
    from cftrain.commands import train as command
    from cftrain.commands.command_line.composing import composed

    found = []
    for wanted in ("accuracy", "[ip,accuracy]", "null"):
        composed(
            "run",
            [
                *WORDS,
                f"optimized_metric={wanted}",
                f"hydra.run.dir={tmp_path / 'run'}",
            ],
            lambda config: found.append(command.run(config)),
        )
    one, several, none = found
    (cell,) = Store(tmp_path / "run").cells().cell
    assert one == several[1] == accuracy(tmp_path / "run", cell)
    assert several[0] > 0
    assert none is None


def test_a_metric_that_is_not_measured_cannot_be_optimised(tmp_path):
    said = call(
        "train", *WORDS, "optimized_metric=[ip,ipp]", f"hydra.run.dir={tmp_path}"
    ).message
    assert said.startswith("optimized_metric: expected one of accuracy,")
    assert said.endswith("got 'ipp'")
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.slow
def test_optuna_finds_the_front_that_the_page_shows_how_to_find(tmp_path):
    """The printed command, made small: no trial is better in both than one of them."""
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    page = (ROOT / "docs" / "grids.md").read_text(encoding="utf-8")
    found = re.search(r"^cftrain (train -m hydra/sweeper.*?)\n```", page, re.M | re.S)
    assert found is not None
    typed = shlex.split(found[1].replace("\\\n", " "))
    small = [word for word in TINY_MOONS if word != "data=moons"]
    done = spawn(*typed, *small, "hydra.sweeper.n_trials=4", cwd=tmp_path)
    assert done.code == 0, done.err
    told = re.findall(r"on validation rows: accuracy (\S+), ip (\S+)", done.out)
    trials = {
        (float(accuracy), math.inf if ip == "nan" else float(ip))
        for accuracy, ip in told
    }
    front = {
        one
        for one in trials
        if not any(a >= one[0] and i <= one[1] and (a, i) != one for a, i in trials)
    }
    (path,) = (tmp_path / "outputs").rglob("optimization_results.yaml")
    solutions = yaml.safe_load(path.read_text())["solutions"]
    values = {tuple(float(f"{v:.4g}") for v in each["values"]) for each in solutions}
    assert values == front


@pytest.mark.parametrize(
    ("value", "higher", "told"),
    [(0.5, True, 0.5), (math.nan, True, -math.inf), (math.nan, False, math.inf)],
)
def test_what_has_no_value_is_the_worst(value, higher, told):
    assert optimized._known(value, higher=higher) == told
