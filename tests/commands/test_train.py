"""`cftrain train` from its arguments to table, picture and results."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from safetensors.torch import load_file

from cftrain.commands.command_line import options
from cftrain.commands.command_line.options import Options
from cftrain.commands.command_line.progress import Progress
from cftrain.data import sources
from cftrain.grid import measured, worker
from cftrain.grid.cells import cell
from cftrain.results.store import Store, done, failed
from cftrain.training.history import EpochRecord
from cftrain.training.trainer import Trainer
from tests.commands.grids import no_training, numbers, same_numbers
from tests.console import TINY, TINY_MOONS, Outcome, call, files, read, run_of, spawn

DIGITS = (
    "+experiment=mnist",
    *(word for word in TINY if not word.endswith("=null")),
    "data.training_rows=100",
    "data.validation_rows=20",
    "schedule.batch_rows=50",
    "evaluation.gallery.factuals=1",
    "evaluation.gallery.search.max_steps=2",
    "evaluation.attributions.steps=2",
)


def tiny(folder: Path, *overrides: str) -> Outcome:
    """A successful tiny training with results in the folder."""
    outcome = call("train", *TINY_MOONS, *overrides, f"hydra.run.dir={folder}")
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, Outcome]:
    """A finished run; tests only look at it or run it again."""
    folder = tmp_path_factory.mktemp("train") / "run"
    return folder, tiny(folder)


@pytest.fixture
def trained(monkeypatch) -> list[list[str]]:
    """Objectives of the cells of each stack that is trained."""
    calls: list[list[str]] = []
    made = worker.train

    def spy(runs, *arguments, **options):
        calls.append([run.objective.name for run in runs])
        return made(runs, *arguments, **options)

    monkeypatch.setattr(worker, "train", spy)
    return calls


def test_a_run_ends_with_its_table_and_where_its_results_are(finished):
    folder, outcome = finished
    assert outcome.err == ""
    first, *_, last = outcome.out.splitlines()
    assert first.startswith("moons (generated, 120 training and 60 test rows), mlp")
    assert "CT against BL" in outcome.out
    for measure in ("accuracy", "macro F1", "accuracy under FGSM, ε 0.01", "cost"):
        assert f"\n{measure} " in outcome.out
    assert "ip_star" not in outcome.out
    assert last == f"results: {folder}"


def test_results_are_all_there_and_nothing_else(finished):
    folder, _ = finished
    kinds = sorted(Path(name).parts[0] for name in files(folder))
    assert kinds == [
        ".lock",
        *("cells", "cells"),
        "config.yaml",
        "evaluations",
        *("history", "history"),
        *("individuals", "log.txt", "metrics", "overrides.yaml", "protocols"),
        *("weights", "weights"),
    ]
    assert len(pd.read_parquet(folder / "cells")) == 2


def test_the_stored_configuration_is_that_of_the_run(finished):
    folder, _ = finished
    assert "${" not in (folder / "config.yaml").read_text()
    run, settings = options.read(OmegaConf.load(folder / "config.yaml"), Options)
    assert (run, settings) == read(*TINY_MOONS)
    twin = replace(run, objective=settings.compare)
    data = run.data.identity()
    assert done(Store(folder).cells()) == {cell(r, data).id for r in (run, twin)}


def test_what_was_typed_is_stored_beside_it(finished):
    folder, _ = finished
    typed = OmegaConf.to_container(OmegaConf.load(folder / "overrides.yaml"))
    assert typed == list(TINY_MOONS)


def test_results_go_below_outputs_by_the_name_of_the_data(tmp_path):
    outcome = call("train", *TINY_MOONS, "compare=none", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.out.endswith(f"results: {tmp_path}/outputs/moons\n")
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}
    shown = call("train", "--cfg", "hydra")
    assert "    dir: outputs/${cftrain.below:${name}}\n" in shown.out


def test_again_it_says_that_it_is_done_and_shows_the_same(finished, monkeypatch):
    folder, first = finished
    before = files(folder)
    monkeypatch.setattr(Trainer, "train", no_training)
    again = tiny(folder)
    note, _, rest = again.out.partition("\n")
    assert note == f"{folder}: done already; overwrite=true repeats it"
    assert rest == first.out
    assert files(folder) == before


def test_another_process_finds_the_same_cells_done(finished, tmp_path):
    folder, first = finished
    again = spawn(
        "train",
        *TINY_MOONS,
        f"hydra.run.dir={folder}",
        cwd=tmp_path,
        PYTHONHASHSEED="7",
    )
    assert again.code == 0, again.err
    assert again.out.partition("\n")[2] == first.out


def test_overwriting_repeats_it_with_the_same_numbers(finished, tmp_path):
    folder, first = finished
    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    made = Store(copy).cells()["created"]
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    again = tiny(copy, "overwrite=true")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == 1
    assert (Store(copy).cells()["created"] > made).all()
    same_numbers(copy, folder)
    assert "done already" not in again.out
    assert lines_without_times(again, copy) == lines_without_times(first, folder)
    assert sorted(files(copy)) == sorted(files(folder))


def lines_without_times(outcome: Outcome, folder: Path) -> list[str]:
    lines = outcome.out.replace(str(folder), "").splitlines()
    return [line for line in lines if not line.startswith("trained in")]


def test_a_later_comparison_trains_the_missing_twin_only(finished, tmp_path, trained):
    folder, first = finished
    alone = tiny(tmp_path, "compare=none")
    assert trained == [["full"]]
    assert "baseline" not in alone.out
    both = tiny(tmp_path)
    assert trained == [["full"], ["vanilla"]]
    same_numbers(tmp_path, folder)
    assert lines_without_times(both, tmp_path) == lines_without_times(first, folder)
    assert tiny(tmp_path).out.partition("\n")[2] == both.out
    assert len(trained) == 2
    cells = Store(tmp_path).cells()
    assert cells["pair"].nunique() == 1
    assert cells["stack"].nunique() == 2


def test_a_model_equal_to_its_twin_is_trained_once(tmp_path, trained):
    outcome = tiny(tmp_path, "objective=vanilla")
    assert trained == [["vanilla"]]
    assert "against" not in outcome.out


def test_another_evaluation_trains_nothing_and_both_are_kept(
    finished, tmp_path, monkeypatch
):
    folder, first = finished
    copy = Path(shutil.copytree(folder, tmp_path / "run"))
    monkeypatch.setattr(Trainer, "train", no_training)
    other = tiny(copy, "evaluation.rounds=3")
    assert other.out != first.out
    before = numbers(folder)
    after = numbers(copy)
    assert set(after["protocol"]) > set(before["protocol"])
    same = after[after["protocol"].isin(before["protocol"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, before, check_exact=True)
    pd.testing.assert_frame_equal(
        Store(copy).cells(), Store(folder).cells(), check_exact=True
    )
    assert "done already" in tiny(copy, "evaluation.rounds=3").out
    assert (
        tiny(copy).out.partition("\n")[2].replace(str(copy), str(folder)) == first.out
    )


def test_a_baseline_is_the_same_by_train_and_by_grid(finished, tmp_path):
    folder, _ = finished
    one = "grid.axes={maturity.threshold: [0.75]}"
    outcome = call(
        "grid",
        *TINY_MOONS,
        one,
        "grid.only_with={}",
        "grid.fixed={}",
        "workers=1",
        f"hydra.run.dir={tmp_path}",
    )
    assert outcome.code == 0, outcome.err
    same_numbers(tmp_path, folder)


def test_a_failing_metric_is_told_and_retrains_nothing(tmp_path, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a metric that breaks")

    with monkeypatch.context() as patched:
        patched.setattr(measured, "evaluate", broken)
        outcome = call("train", *TINY_MOONS, f"hydra.run.dir={tmp_path}")
    assert outcome.code == 1
    assert "a metric that breaks" in outcome.out + outcome.err
    assert "Traceback" not in outcome.err
    store = Store(tmp_path)
    assert len(done(store.cells())) == 2
    assert len(failed(store.evaluations())) == 2
    monkeypatch.setattr(Trainer, "train", no_training)
    tiny(tmp_path)
    assert failed(store.evaluations()) == {}


def test_a_diverged_training_is_told(tmp_path):
    rate = "schedule.optimiser.learning_rate=1e30"
    outcome = call("train", *TINY_MOONS, rate, f"hydra.run.dir={tmp_path}")
    assert outcome.code == 1
    assert "diverged" in outcome.out + outcome.err
    assert "Traceback" not in outcome.err


def test_other_settings_are_other_cells_in_the_same_folder(tmp_path, trained):
    tiny(tmp_path, "compare=none")
    other = tiny(tmp_path, "compare=none", "seed=1")
    assert "seed 1," in other.out
    assert len(trained) == 2
    assert len(done(Store(tmp_path).cells())) == 2
    assert "seed 2025," in tiny(tmp_path, "compare=none").out
    assert len(trained) == 2


def test_where_results_are_and_what_they_are_called_is_no_setting(finished, trained):
    folder, _ = finished
    assert "done already" in tiny(folder, "name=other").out
    assert trained == []


def test_an_interrupted_run_goes_on_to_the_same_numbers(
    finished, tmp_path, monkeypatch
):
    folder, _ = finished

    def interrupt(bar: object, epoch: int, total: int, record: EpochRecord) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "epoch", interrupt)
        stopped = call("train", *TINY_MOONS, f"hydra.run.dir={tmp_path}")
    assert stopped.code == 130
    assert stopped.err == (
        "cftrain: interrupted; what is finished is kept, run the same command again to "
        "go on\n"
    )
    assert stopped.out == ""
    kinds = {Path(name).parts[0] for name in files(tmp_path)}
    assert kinds == {
        *(".lock", "checkpoints", "config.yaml", "log.txt", "overrides.yaml")
    }
    assert "ended by KeyboardInterrupt" in (tmp_path / "log.txt").read_text()
    epochs: list[int] = []
    monkeypatch.setattr(
        Progress, "epoch", lambda bar, epoch, total, record: epochs.append(epoch)
    )
    tiny(tmp_path)
    assert epochs == [2, 1, 2], "the model goes on, its baseline had not begun"
    same_numbers(tmp_path, folder)
    assert sorted(files(tmp_path)) == sorted(files(folder))
    for path in (folder / "weights").iterdir():
        theirs = load_file(path)
        for name, value in load_file(tmp_path / "weights" / path.name).items():
            assert torch.equal(value, theirs[name])


def test_several_seeds_in_a_sweep(tmp_path):
    outcome = call(
        "train",
        "-m",
        *TINY_MOONS,
        "seed=1,2",
        f"hydra.sweep.dir={tmp_path}",
        "hydra.sweep.subdir=${hydra.job.num}",
    )
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("results: ") == 2
    seeds = [Store(tmp_path / number).cells()["seed"] for number in "01"]
    assert [list(column.unique()) for column in seeds] == [[1], [2]]


def test_a_sweep_with_many_overrides(tmp_path):
    outcome = call("train", "-m", *TINY_MOONS, "seed=1,2", cwd=tmp_path)
    assert outcome.code == 0


def test_help_and_information_change_nothing(tmp_path):
    shown = call("train", "--help", cwd=tmp_path)
    assert shown.code == 0
    for text in ("cftrain train", "+experiment", "moons, ", "training_rows: 3000"):
        assert text.removeprefix("+") in shown.out
    composed = call("train", "--cfg", "job", "+experiment=mnist", cwd=tmp_path)
    assert composed.code == 0
    values = OmegaConf.create(composed.out)
    assert values.objective.ridge_weight == 0.01
    run, _ = options.read(values, Options)
    assert run == run_of("+experiment=mnist")
    defaults = call("train", "--info", "defaults", cwd=tmp_path)
    assert defaults.code == 0
    assert "data/moons" in defaults.out
    assert not files(tmp_path)


def test_no_matter_where_it_is_called(tmp_path, monkeypatch):
    """Paths of the configuration do not depend on the folder or on other files."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "run.yaml").write_text("nonsense: true\n")
    (tmp_path / "torch.yaml").write_text("")
    outcome = call("train", "--cfg", "job", cwd=tmp_path)
    assert options.read(OmegaConf.create(outcome.out), Options) == read()


def test_digits_without_any_table_and_network(tmp_path, monkeypatch):
    """The embedded digits: with a warning, a picture and their name in the results."""

    def no_network(*_: object, **__: object) -> None:
        raise sources.Unavailable("no network in tests")

    monkeypatch.setattr(sources, "fetch_openml", no_network)
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")
    folder = tmp_path / "run"
    outcome = call("train", *DIGITS, f"hydra.run.dir={folder}", CFTRAIN_DATA=None)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("mnist (embedded, 100 training and 1000 test rows)")
    warnings = outcome.err.splitlines()
    assert len(warnings) >= 1
    assert all(line.startswith("cftrain: warning: mnist: ") for line in warnings)
    assert "SMALL SET" in warnings[0]
    assert set(Store(folder).cells()["data_source"]) == {"embedded"}
    assert_picture(folder, outcome)


def assert_picture(folder: Path, outcome: Outcome) -> None:
    path = folder / "figures" / "counterfactuals.png"
    assert f"picture: {path}\n" in outcome.out
    with Image.open(path) as image:
        image.load()
        assert image.width > image.height / 2
    store = Store(folder)
    gallery = store.rows("gallery", store.evaluations())
    assert gallery.groupby("cell").size().tolist() == [10, 10]
    assert (gallery["values"].map(len) == 28 * 28).all()
    assert set(gallery["target"]) <= set(range(10))
    attributions = store.rows("attributions", store.evaluations())
    assert attributions.groupby("cell")["label"].apply(list).tolist() == 2 * [
        list(range(10))
    ]
    assert (attributions["values"].map(len) == 28 * 28).all()
    assert (attributions[["height", "width"]] == 28).all(axis=None)


@pytest.mark.data
def test_digits_of_the_real_table(tmp_path, data_root):
    folder = tmp_path / "run"
    outcome = call(
        "train", *DIGITS, f"hydra.run.dir={folder}", CFTRAIN_DATA=str(data_root)
    )
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    assert outcome.out.startswith("mnist (parquet, 100 training and 10000 test rows)")
    assert set(Store(folder).cells()["data_source"]) == {"parquet"}
    assert_picture(folder, outcome)


@pytest.mark.mpi
def test_of_several_ranks_one_works_and_the_others_say_nothing(finished, tmp_path):
    folder, first = finished
    launcher = Path(sys.executable).with_name("mpirun")
    assert launcher.is_file(), "mpich installs mpirun beside python"
    outcome = spawn(
        "train",
        *TINY_MOONS,
        launcher=(str(launcher), "-n", "2"),
        cwd=tmp_path,
    )
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    run = tmp_path / "outputs" / "moons"
    assert lines_without_times(outcome, run) == lines_without_times(first, folder)
    same_numbers(run, folder)
    assert sorted(files(run)) == sorted(files(folder))


def test_a_sweep_goes_on_after_a_job_that_diverged(tmp_path):
    rates = "schedule.optimiser.learning_rate=1e308,0.01"
    words = ("-m", rates, "compare=none", f"hydra.sweep.dir={tmp_path / 'sweep'}")
    outcome = call("train", *words, *TINY_MOONS, cwd=tmp_path)
    assert outcome.code == 1
    assert outcome.out.count("results: ") == 2
