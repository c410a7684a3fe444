"""Where results and data lie is no part of them; what is in the data is."""

import shutil
from pathlib import Path

import pytest
import torch

from cftrain.data import sources
from cftrain.errors import DataError
from cftrain.results.store import Store, done, failed
from cftrain.training.restore import restore
from cftrain.training.trainer import Trainer
from tests.commands.grids import no_training
from tests.commands.test_bad_input import DIGITS, write_digits
from tests.console import Outcome, call, files

SEEDS = ("grid.axes={seed: [1, 2]}", "grid.only_with={}", "grid.fixed={}")


def grid(folder: Path, data: Path) -> Outcome:
    words = (*DIGITS, *SEEDS, "workers=1", f"hydra.run.dir={folder}")
    return call("grid", *words, CFTRAIN_DATA=str(data))


@pytest.fixture(scope="module")
def moved(tmp_path_factory) -> tuple[Path, Path]:
    """Results and data of two seeds, moved to another place after the training."""
    root = tmp_path_factory.mktemp("places")
    write_digits(root / "data")
    outcome = grid(root / "run", root / "data")
    assert outcome.code == 0, outcome.err
    (root / "elsewhere").mkdir()
    return (
        (root / "run").rename(root / "elsewhere" / "results"),
        (root / "data").rename(root / "elsewhere" / "tables"),
    )


@pytest.fixture
def places(moved, tmp_path, monkeypatch) -> tuple[Path, Path]:
    """Copies that a test may change; nothing is trained."""
    monkeypatch.setattr(Trainer, "train", no_training)
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")
    return tuple(Path(shutil.copytree(place, tmp_path / place.name)) for place in moved)


def numbers(folder: Path) -> dict[str, bytes]:
    """The files of a folder but for the log, to which every writing command adds."""
    return {k: v for k, v in files(folder).items() if Path(k).name != "log.txt"}


def changed(tables: Path) -> None:
    """Other pixels under the same names."""
    shutil.rmtree(tables)
    write_digits(tables, rows=31)


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "evaluation.rounds=3", "workers=1"),
        ("transfer", "rounds=1"),
        ("tables",),
        ("status",),
    ],
)
def test_commands_serve_results_that_were_moved(places, words):
    folder, tables = places
    command, *rest = words
    outcome = call(command, str(folder), *rest, CFTRAIN_DATA=str(tables))
    assert outcome.code == 0, outcome.err


def test_moved_results_are_verified_bit_for_bit(moved):
    folder, tables = moved
    outcome = call("verify", str(folder), "sample=2", CFTRAIN_DATA=str(tables))
    assert outcome.code == 0, outcome.err
    assert "2 cells repeated, all numbers agree" in outcome.out


def test_the_same_grid_elsewhere_has_nothing_to_do(places):
    folder, tables = places
    outcome = grid(folder, tables)
    assert outcome.code == 0, outcome.err
    assert "4 of them trained; 0 to train and 0 to evaluate" in outcome.out


def test_moved_models_are_restored(places, monkeypatch):
    folder, tables = places
    monkeypatch.setenv("CFTRAIN_DATA", str(tables))
    store = Store(folder)
    models = restore(store, list(store.cells()["cell"]))
    assert models.dataset.source == "parquet"
    assert {run.data.root for run in models.runs} == {str(tables)}
    rows = models.dataset.features.expand(len(models.runs), -1, -1)
    assert torch.isfinite(models.classifier(rows)).all()


def test_nothing_stored_names_a_place(moved):
    folder, tables = moved
    for name, content in files(folder).items():
        if name.endswith(".parquet"):
            assert str(tables.parents[1]).encode() not in content, name


def test_data_that_changed_fail_an_evaluation_and_nothing_else(places):
    folder, tables = places
    before = numbers(folder)
    changed(tables)
    words = ("evaluate", str(folder), "evaluation.rounds=3", "workers=1")
    outcome = call(*words, CFTRAIN_DATA=str(tables))
    assert outcome.code == 1
    assert "mnist: expected the data parquet:" in outcome.err
    assert "files have changed" in outcome.err
    assert before.items() <= numbers(folder).items()
    assert "4 cells could not be done here; the same command tries them" in outcome.err
    store = Store(folder)
    assert failed(store.evaluations()) == {}, "the data may be put back"
    assert len(done(store.evaluations())) == 4


def test_data_that_changed_are_not_restored(places, monkeypatch):
    folder, tables = places
    changed(tables)
    monkeypatch.setenv("CFTRAIN_DATA", str(tables))
    store = Store(folder)
    with pytest.raises(
        DataError, match=r"mnist: expected the data parquet:.*, got par"
    ):
        restore(store, list(store.cells()["cell"]))
    message = call("transfer", str(folder), CFTRAIN_DATA=str(tables)).message
    assert message.startswith("mnist: expected the data parquet:")


def test_data_that_changed_are_not_verified(moved, tmp_path):
    folder, tables = moved
    other = Path(shutil.copytree(tables, tmp_path / "tables"))
    changed(other)
    outcome = call("verify", str(folder), "sample=1", CFTRAIN_DATA=str(other))
    assert outcome.code == 2
    assert "mnist: expected the data parquet:" in outcome.err


def test_data_that_changed_are_another_training(moved, tmp_path):
    folder = Path(shutil.copytree(moved[0], tmp_path / "run"))
    tables = Path(shutil.copytree(moved[1], tmp_path / "tables"))
    before = done(Store(folder).cells())
    changed(tables)
    outcome = grid(folder, tables)
    assert outcome.code == 0, outcome.err
    assert "0 of them trained; 4 to train" in outcome.out
    assert before < done(Store(folder).cells())


def test_embedded_digits_never_stand_in_for_the_real_ones(places):
    folder, _ = places
    words = ("evaluate", str(folder), "evaluation.rounds=3", "workers=1")
    outcome = call(*words, CFTRAIN_DATA=None)
    assert outcome.code == 1
    assert "mnist: expected the data parquet:" in outcome.err
    assert failed(Store(folder).evaluations()) == {}
    assert "4 cells could not be done here" in outcome.err
