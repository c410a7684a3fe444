"""Loggers are told what the history says, and harm no run."""

import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
import torch

from cftrain.results.store import Store
from cftrain.results.weights import read_weights
from cftrain.training.history import COLUMNS, as_records
from cftrain.training.watching import logger as logger_module
from cftrain.training.watching.logger import Logger, Watch, Watched
from cftrain.training.watching.watching import watched
from tests.console import TINY_MOONS, call, run_of, spawn

THEIRS = pytest.mark.filterwarnings("ignore")
"""What their tools warn of, which is theirs to mend."""

OBSERVED = sorted(set(COLUMNS) - {"seconds"})


def train(folder: Path, *words: str) -> Store:
    outcome = call("train", *TINY_MOONS, *words, f"hydra.run.dir={folder}")
    assert outcome.code == 0, outcome
    return Store(folder)


def history(store: Store) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """By cell and column: the epochs with a number, and that number."""
    rows = store.rows("history", store.cells()).sort_values("epoch")
    return {
        cell: {
            column: [
                (epoch, value)
                for epoch, value in zip(one.epoch, one[column], strict=True)
                if math.isfinite(value)
            ]
            for column in OBSERVED
        }
        for cell, one in rows.groupby("cell")
    }


def records(data: bytes) -> Iterator[bytes]:
    """What is in a file of LevelDB's log format, after a heading."""
    block, header, place, parts = 32768, 7, 7, b""
    while place + header <= len(data):
        if block - place % block < header:
            place += block - place % block
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        parts += data[place + header : place + header + length]
        place += header + length
        if kind in (1, 4):  # whole, or the last of several parts
            yield parts
            parts = b""


@THEIRS
def test_event_files_have_the_history(tmp_path):
    reading = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    store = train(tmp_path / "run", "logger=tensorboard")
    for cell, columns in history(store).items():
        (place,) = (tmp_path / "run" / "tensorboard").glob(f"*-{cell}")
        events = reading.EventAccumulator(str(place)).Reload()
        told = events.Tags()["scalars"]
        assert {name for name in columns if columns[name]} <= set(told)
        for name, expected in columns.items():
            found = events.Scalars(name) if name in told else []
            assert [(one.step, one.value) for one in found] == [
                (epoch, pytest.approx(value, rel=1e-6)) for epoch, value in expected
            ]


@THEIRS
def test_a_store_of_mlflow_has_the_history(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    store = train(tmp_path / "run", "logger=mlflow", "logger.experiment=mine")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'run' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("mine")
    runs = client.search_runs([experiment.experiment_id])
    known = history(store)
    assert {run.data.tags["cell"] for run in runs} == set(known)
    for run in runs:
        assert run.info.status == "FINISHED"
        assert run.data.params["schedule.epochs"] == "2"
        for name, expected in known[run.data.tags["cell"]].items():
            found = client.get_metric_history(run.info.run_id, name)
            assert [(one.step, one.value) for one in found] == expected


@THEIRS
def test_wandb_keeps_the_history_here(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    # Its service has written all it was told once the process that trains has ended.
    done = spawn(
        "train", *TINY_MOONS, "logger=wandb", "hydra.run.dir=run", cwd=tmp_path
    )
    assert done.code == 0, done.err
    assert "logger" not in done.err
    store = Store(tmp_path / "run")
    found = list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))
    assert len(found) == len(history(store)) == 2
    from wandb.proto import wandb_internal_pb2

    told = []
    for path in found:
        for data in records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "history":
                told.append(
                    {
                        (item.key or item.nested_key[0]): float(item.value_json)
                        for item in record.history.item
                    }
                )
    expected = sorted(
        loss for one in history(store).values() for _, loss in one["loss"]
    )
    assert sorted(each["loss"] for each in told) == pytest.approx(expected)


@dataclass(frozen=True, kw_only=True)
class Failing(Logger):
    """Fails at a step of its work, and notes what it was asked."""

    package: ClassVar[str] = "os"
    extra: ClassVar[str] = "failing"

    at: str
    asked: list[str]

    def ask(self, what: str) -> None:
        self.asked.append(what)
        if what == self.at:
            raise OSError(f"no {what} today\nand more")

    def opened(self, training: Watched, folder: Path) -> Watch:
        self.ask("opening")
        return FailingWatch(self)


class FailingWatch(Watch):
    def __init__(self, logger: Failing) -> None:
        self._logger = logger

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        self._logger.ask("epoch")

    def close(self) -> None:
        self._logger.ask("closing")


@pytest.mark.parametrize(
    ("at", "asked"),
    [
        ("opening", ["opening"]),
        ("epoch", ["opening", "opening", "epoch", "closing", "closing"]),
        ("closing", [*["opening"] * 2, *["epoch"] * 4, "closing", "closing"]),
        ("nothing", [*["opening"] * 2, *["epoch"] * 4, "closing", "closing"]),
    ],
)
def test_a_logger_that_fails_is_told_once_and_left_alone(at, asked, tmp_path, capfd):

    logger = Failing(at=at, asked=[])
    records = as_records(torch.rand(2, 2, len(COLUMNS), dtype=torch.float64))
    runs = [("one", run_of()), ("two", run_of("seed=1"))]
    with watched(logger, runs, tmp_path) as tell:
        for epoch, record in enumerate(records, start=1):
            tell(epoch, record)
    assert logger.asked == asked
    said = capfd.readouterr().err
    if at == "nothing":
        assert said == ""
    else:
        assert said == (
            "cftrain: warning: logger failing failed, the training goes on without it: "
            f"OSError: no {at} today\n"
        )


def test_an_error_of_the_training_is_not_swallowed(tmp_path):
    logger = Failing(at="nothing", asked=[])
    with pytest.raises(KeyError), watched(logger, [("one", run_of())], tmp_path):
        raise KeyError("of the training")
    assert logger.asked == ["opening", "closing"]


def test_a_cell_that_has_stopped_is_not_told_of(tmp_path):

    told: list[tuple[int, float]] = []

    class Noted(FailingWatch):
        def epoch(self, number: int, values: Mapping[str, float]) -> None:
            told.append((number, values["validation_accuracy"]))

    class Noting(Failing):
        def opened(self, training: Watched, folder: Path) -> Watch:
            return Noted(self)

    numbers = torch.zeros(4, 2, len(COLUMNS), dtype=torch.float64)
    place = COLUMNS.index("validation_accuracy")
    numbers[:, 0, place] = torch.tensor([0.5, 0.4, 0.3, 0.2], dtype=torch.float64)
    numbers[:, 1, place] = torch.tensor([0.5, 0.6, 0.7, 0.8], dtype=torch.float64)
    run = run_of("schedule.patience=1", "schedule.burn_in=0")
    with watched(Noting(at="", asked=[]), [("a", run), ("b", run)], tmp_path) as tell:
        for epoch, record in enumerate(as_records(numbers), start=1):
            tell(epoch, record)
    assert told == [(1, 0.5), (1, 0.5), (2, 0.4), (2, 0.6), (3, 0.7), (4, 0.8)]


@THEIRS
def test_who_watches_changes_nothing(tmp_path):
    pytest.importorskip("tensorboard")
    plain = train(tmp_path / "plain")
    told = train(tmp_path / "told", "logger=tensorboard")
    assert list(plain.cells().cell) == list(told.cells().cell)
    for cell in plain.cells().cell:
        one, other = (read_weights(s.folder, cell)[0] for s in (plain, told))
        assert all(bool((one[name] == other[name]).all()) for name in one)
    again = call(
        "train", *TINY_MOONS, "logger=tensorboard", f"hydra.run.dir={plain.folder}"
    )
    assert "done already" in again.out
    pd.testing.assert_frame_equal(
        plain.rows("history", plain.cells()).drop(columns="seconds"),
        told.rows("history", told.cells()).drop(columns="seconds"),
    )


def test_a_logger_that_is_not_installed_is_told_before_anything_is_done(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(logger_module, "find_spec", lambda name: None)
    for command in ("train", "grid"):
        for name in ("tensorboard", "mlflow", "wandb"):
            said = call(
                command, *TINY_MOONS, f"logger={name}", f"hydra.run.dir={tmp_path}/run"
            ).message
            assert said == (
                f"logger={name}: expected {name} to be installed, got no such package; "
                f"pip install 'cftrain[{name}]' adds it"
            )
    assert not any(path.is_file() for path in (tmp_path / "run").rglob("*"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "logger: {tracking_uri: 'http://localhost:9'}",
            "logger.tracking_uri: expected on the command line",
        ),
        ("logger: {tracking_uri: 'sqlite:////tmp/x'}", "logger.tracking_uri: expected"),
        ("logger: {mode: online}", "logger.mode: expected on the command line"),
        (
            "logger: {folder: ../../elsewhere}",
            "logger.folder: expected that of a folder below the results",
        ),
        (
            "logger: {folder: /tmp/elsewhere}",
            "logger.folder: expected that of a folder",
        ),
    ],
)
def test_a_file_sends_nothing_elsewhere(text, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = next(
        logger
        for key, logger in {
            "tracking_uri": "mlflow",
            "mode": "wandb",
            "folder": "tensorboard",
        }.items()
        if key in text
    )
    sent = tmp_path / "sent" / "experiment"
    sent.mkdir(parents=True)
    (sent / "evil.yaml").write_text(
        f"# @package _global_\ndefaults:\n  - override /logger: {name}\n{text}\n"
    )
    before = dict(os.environ)
    outcome = call("train", "--config-dir", "sent", *TINY_MOONS, "+experiment=evil")
    assert said in outcome.message
    assert dict(os.environ) == before
