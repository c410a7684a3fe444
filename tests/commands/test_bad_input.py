"""What goes wrong beside earlier results: one message, and they stay as they are.

Wrong words, values and files of configuration are in `tests/torture/bad_words.py`.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from cftrain.commands.command_line.progress import Progress
from cftrain.results.schema import FORMAT
from cftrain.results.store import Store
from cftrain.training.checkpoint import Checkpoint
from tests.console import TINY, TINY_MOONS, call, files, run_of


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Results of an earlier run."""
    folder = tmp_path_factory.mktemp("earlier") / "run"
    assert call("train", *TINY_MOONS, f"hydra.run.dir={folder}").code == 0
    return folder


@pytest.fixture
def refused(finished) -> Callable[..., str]:
    """The message of a run that is refused and leaves the earlier results."""

    def message(
        *overrides: str,
        base: tuple[str, ...] = TINY_MOONS,
        **environment: str | None,
    ) -> str:
        before = files(finished)
        arguments = [*base, f"hydra.run.dir={finished}", *overrides]
        outcome = call("train", *arguments, **environment)
        assert files(finished) == before
        return outcome.message

    return message


def test_all_mistakes_are_told_at_once(refused):
    message = refused(
        "seed=-1",
        "objective.divergence_weight=nan",
        "maturity.threshold=1.0",
        "search.epsilon=0",
        "search.max_steps=0",
        "schedule.epochs=many",
        "device=gpu",
    )
    for text in (
        "7 mistakes in the configuration:",
        "\n  seed: expected a whole number >= 0, got -1",
        "\n  objective.divergence_weight: expected a number >= 0, got nan",
        "\n  maturity.threshold: expected a number in (0, 1), got 1.0",
        "\n  search.epsilon: expected a number > 0, got 0",
        "\n  search.max_steps: expected a whole number >= 1, got 0",
        "\n  schedule.epochs: expected a whole number >= 1, got 'many'",
        "\n  device: expected one of cpu, cuda",
    ):
        assert text in message, message


def test_a_device_that_is_not_there_is_one_message(refused, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = refused("device=cuda")
    assert message.startswith("device: expected a machine with CUDA")
    assert "use device=cpu" in message


@pytest.mark.parametrize("below", ["", "/deeper/still"])
def test_a_folder_that_cannot_be_written_is_one_message(refused, tmp_path, below):
    (tmp_path / "file").write_text("mine")
    message = refused(f"hydra.run.dir={tmp_path}/file{below}")
    assert f"{tmp_path}/file" in message
    assert files(tmp_path) == {"file": b"mine"}


@pytest.mark.parametrize("taken", ["weights", "checkpoints", "metrics", "cells"])
def test_a_file_in_the_place_of_a_folder_is_one_message(tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    outcome = call("train", *TINY_MOONS, f"hydra.run.dir={tmp_path}")
    assert taken in outcome.message
    assert (tmp_path / taken).read_text() == "mine"


def test_a_full_disk_is_one_message(finished, monkeypatch):
    write = Path.write_bytes

    def disk_full(path: Path, content: bytes) -> None:
        full = path.suffix == ".parquet"
        write(path, content[:4] if full else content)
        if full:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", disk_full)
    before = files(finished)
    outcome = call("train", *TINY_MOONS, "overwrite=true", f"hydra.run.dir={finished}")
    assert "No space left on device" in outcome.message
    after = files(finished)
    shutil.rmtree(finished / "checkpoints")
    assert set(files(finished)) == set(before)
    # What was typed and said last is kept, whatever comes of it.
    asked = ("config.yaml", "overrides.yaml", "log.txt")
    for name in set(before) - set(asked):
        assert after[name] == before[name], name


def numbers(store: Store) -> list[pd.DataFrame]:
    """What depends neither on the clock nor on who trained with whom."""
    history = store.rows("history", store.cells()).drop(columns=["seconds", "stack"])
    metrics = store.rows("metrics", store.evaluations()).drop(columns="stack")
    return [
        history.sort_values(["cell", "epoch"], ignore_index=True),
        metrics.sort_values([*metrics.columns[:7]], ignore_index=True),
    ]


DAMAGE = {
    "truncated": lambda content: content[: len(content) // 2],
    "text": lambda content: b"not a parquet file",
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("table", ["cells", "metrics", "history"])
def test_damaged_results_are_set_aside_and_done_again(finished, tmp_path, table):
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    path = min((folder / table).iterdir())
    path.write_bytes(DAMAGE["truncated"](path.read_bytes()))
    before = files(folder)
    if table != "history":  # which this table does not need
        message = call("tables", str(folder), "table=main").message
        assert f"got damaged ones: {path}; " in message
    assert files(folder) == before
    outcome = call("train", *TINY_MOONS, f"hydra.run.dir={folder}")
    assert outcome.code == 0
    assert outcome.err == (
        f"cftrain: warning: {folder}: set aside as *.damaged, and done again where a "
        f"command wants it: {path}\n"
    )
    aside = path.with_name(f"{path.name}.damaged")
    assert aside.read_bytes() == before[str(path.relative_to(folder))]
    for found, expected in zip(
        numbers(Store(folder)), numbers(Store(finished)), strict=True
    ):
        pd.testing.assert_frame_equal(found, expected)


def test_results_of_another_format_are_one_message(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    path = min((folder / "cells").iterdir())
    table = pq.read_table(path).replace_schema_metadata({"cftrain_format": "0"})
    pq.write_table(table, path)
    message = call("train", *TINY_MOONS, f"hydra.run.dir={folder}").message
    expected = f"{path}: expected results of format {FORMAT}, got format 0"
    assert message.startswith(expected)


@pytest.fixture
def interrupted(tmp_path, monkeypatch) -> Path:
    """The checkpoint of a run that was stopped after its first epoch."""

    def interrupt(bar: object, epoch: int, total: int, record: object) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "epoch", interrupt)
        outcome = call("train", *TINY_MOONS, f"hydra.run.dir={tmp_path}/run")
    assert outcome.code == 130
    (path,) = (tmp_path / "run" / "checkpoints").iterdir()
    return path


def discarded(checkpoint: Path) -> str:
    """What is said of a checkpoint that does not serve; training starts anew."""
    folder = checkpoint.parents[1]
    outcome = call("train", *TINY_MOONS, f"hydra.run.dir={folder}")
    assert outcome.code == 0, outcome.err
    assert f"results: {folder}" in outcome.out
    assert not checkpoint.parent.exists()
    return outcome.err


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_discarded_with_a_warning(interrupted, damage):
    interrupted.write_bytes(DAMAGE[damage](interrupted.read_bytes()))
    said = discarded(interrupted)
    assert said.count("\n") == 1
    assert f"{interrupted}: could not be read: " in said


def test_a_checkpoint_of_other_cells_is_no_message(interrupted):
    state = {"weight": torch.zeros(1)}
    Checkpoint(path=interrupted, cells=("another",)).save(state)
    discarded(interrupted)


IMAGE = pa.binary(28 * 28)
DIGITS = (
    "data=mnist",
    *TINY,
    "data.training_rows=40",
    "data.validation_rows=20",
    "schedule.batch_rows=20",
)


def write_digits(folder: Path, rows: int = 30, **columns: pa.Array) -> None:
    """Small tables of digits, or of what is given instead."""
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 255, (rows, 28 * 28), dtype=np.uint8)
    good = {
        "image": pa.array([image.tobytes() for image in pixels], IMAGE),
        "label": pa.array([row % 10 for row in range(rows)], pa.int64()),
    }
    bad = columns or good
    for part, content in (("test", good), ("train", bad)):
        pq.write_table(pa.table(content), folder / f"mnist_{part}.parquet")


def test_digits_of_a_small_table_are_fine(tmp_path):
    write_digits(tmp_path / "data")
    outcome = call(
        "train",
        *DIGITS,
        f"hydra.run.dir={tmp_path}/run",
        CFTRAIN_DATA=str(tmp_path / "data"),
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("mnist (parquet, 40 training and 30 test rows)")


@pytest.mark.parametrize(
    ("part", "damage"),
    [("train", "truncated"), ("train", "text"), ("train", "empty"), ("test", "text")],
)
def test_a_damaged_table_is_one_message_with_its_path(refused, tmp_path, part, damage):
    write_digits(tmp_path / "data")
    path = tmp_path / "data" / f"mnist_{part}.parquet"
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    message = refused(base=DIGITS, CFTRAIN_DATA=str(tmp_path / "data"))
    assert f"{path}: expected a readable Parquet file" in message


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"pixels": pa.array([b"x"])}, ["expected column 'image'", "pixels"]),
        ({"image": pa.array(["x"]), "label": pa.array([1])}, ["'image' of type"]),
        (
            {"image": pa.array([bytes(784)], IMAGE), "label": pa.array(["1"])},
            ["expected column 'label' of type int64"],
        ),
        (
            {"image": pa.array([bytes(784)] * 2, IMAGE), "label": pa.array([1, None])},
            ["missing values"],
        ),
        (
            {
                "image": pa.array([bytes(784)] * 60, IMAGE),
                "label": pa.array([row % 12 for row in range(60)]),
            },
            ["labels 0 to 9"],
        ),
    ],
)
def test_a_table_of_another_kind_is_one_message(refused, tmp_path, columns, said):
    write_digits(tmp_path / "data", **columns)
    message = refused(base=DIGITS, CFTRAIN_DATA=str(tmp_path / "data"))
    for text in said:
        assert text in message, message


def test_a_data_folder_that_is_not_there_is_one_message(refused, tmp_path):
    message = refused(base=DIGITS, CFTRAIN_DATA=str(tmp_path / "nowhere"))
    assert "CFTRAIN_DATA" in message
    assert f"got '{tmp_path}/nowhere'" in message


def write_houses(folder: Path, rows: int = 300) -> Path:
    """A small table in the form of the prepared California housing."""
    folder.mkdir()
    spec = run_of("data=california_housing").data
    draws = np.random.default_rng(1).normal(size=(rows, len(spec.columns)))
    frame = pd.DataFrame(draws, columns=list(spec.columns))
    frame["target"] = np.arange(rows) % 2
    path = folder / f"{spec.prepared.stem}.parquet"
    frame.to_parquet(path, index=False)
    return path


HOUSES = (
    "data=california_housing",
    *TINY,
    "data.prepared.rows=300",
    "data.training_rows=150",
    "data.validation_rows=50",
    "schedule.batch_rows=50",
)


def houses(path: Path, *overrides: str):
    return call(
        "train",
        *HOUSES,
        *overrides,
        f"hydra.run.dir={path.parents[1]}/run",
        CFTRAIN_DATA=str(path.parent),
    )


def test_a_small_table_of_numbers_is_fine(tmp_path):
    outcome = houses(write_houses(tmp_path / "data"))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("california_housing (parquet:prepared, 150 training")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda frame: frame.assign(
                MedInc=frame["MedInc"].where(frame.index != 7, np.nan)
            ),
            ["MedInc"],
        ),
        (
            lambda frame: frame.assign(
                MedInc=frame["MedInc"].where(frame.index != 7, np.inf)
            ),
            ["MedInc"],
        ),
        (lambda frame: frame.assign(target=frame["target"] + 1), ["target", "2"]),
        (
            lambda frame: frame.assign(
                MedInc=frame["MedInc"].where(frame.index != 7, 1e308)
            ),
            ["'MedInc'", "1e+308 in row 7"],
        ),
        (
            lambda frame: frame.assign(
                MedInc=frame["MedInc"].where(frame.index != 7, 1e38)
            ),
            ["'MedInc'", "32-bit inputs", "1e+38 in row 7"],
        ),
        (
            lambda frame: frame.assign(HouseAge=pd.Timestamp("2020-01-01")),
            ["'HouseAge'", "expected numbers", "datetime64"],
        ),
        (lambda frame: frame.assign(HouseAge=3.0), ["'HouseAge'", "constant"]),
        (lambda frame: frame.head(0), ["expected 300 rows, got 0"]),
        (lambda frame: frame.assign(target=0), ["all 2 classes", "[200, 0]"]),
        (lambda frame: frame.drop(columns="HouseAge"), ["HouseAge"]),
        (lambda frame: frame.head(299), ["expected 300 rows, got 299"]),
    ],
)
def test_a_table_with_wrong_values_is_one_message(tmp_path, change, said):
    path = write_houses(tmp_path / "data")
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    message = houses(path).message
    for text in [str(path), *said]:
        assert text in message, message


def test_a_column_that_is_there_twice_is_one_message(tmp_path):
    path = write_houses(tmp_path / "data")
    table = pq.read_table(path)
    pq.write_table(table.append_column("MedInc", table["MedInc"]), path)
    assert "got MedInc more than once" in houses(path).message


@pytest.mark.parametrize("name", ["prepared", "raw", "openml"])
def test_a_label_among_the_features_is_one_message(tmp_path, name):
    path = write_houses(tmp_path / "data")
    message = houses(path, f"data.{name}.label.column=AveRooms").message
    assert f"data.{name}.label.column: expected a column that is no feature" in message
    assert "got 'AveRooms'" in message


def test_a_label_under_another_name_is_a_feature_too(tmp_path):
    path = write_houses(tmp_path / "data")
    message = houses(path, "+data.prepared.names.target=MedInc").message
    assert "data.prepared.label.column: expected a column that is no" in message


def test_more_rows_than_a_table_has_are_one_message(tmp_path):
    path = write_houses(tmp_path / "data")
    message = houses(path, "data.training_rows=250").message
    assert "expected at most 240 training and validation rows" in message
    assert "got 300" in message


def test_one_bad_run_of_a_sweep_does_not_keep_the_others_from_running(tmp_path):
    outcome = call(
        "train",
        "-m",
        *TINY_MOONS,
        "seed=-1,1",
        f"hydra.sweep.dir={tmp_path}",
        "hydra.sweep.subdir=${hydra.job.num}",
    )
    assert outcome.code == 2
    assert outcome.err.startswith("cftrain: seed: expected a whole number >= 0, got -1")
    assert outcome.out.count("results: ") == 1
