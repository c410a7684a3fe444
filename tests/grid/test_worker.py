"""A task from its data to its results on disk."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import safetensors.torch
import torch
from safetensors import safe_open

import cftrain
from cftrain.config.identity import describe
from cftrain.errors import ResultError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid import measured, worker
from cftrain.grid.cells import Cell, cell, protocol_id, stack_id
from cftrain.grid.task import Task
from cftrain.grid.worker import Data, Outcome, Workplace, perform
from cftrain.results.store import Store, done, failed
from cftrain.results.weights import weights_path
from cftrain.training.checkpoint import checkpoint_of
from cftrain.training.run import rebuild
from cftrain.training.trainer import Trainer
from tests.console import TINY_MOONS, files, read

EPOCHS = 4
TIMES = ["seconds", "created"]


def pair_of_cells(*overrides: str) -> list[Cell]:
    run, options = read(*TINY_MOONS, f"schedule.epochs={EPOCHS}", *overrides)
    twin = replace(run, objective=options.compare)
    return [cell(made, made.data.identity()) for made in (run, twin)]


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return read(*TINY_MOONS)[1].evaluation


@pytest.fixture(scope="module")
def other() -> Protocol:
    return read(*TINY_MOONS, "evaluation.rounds=3")[1].evaluation


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return pair_of_cells()


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "results")


def run_task(
    store: Store,
    train: list[Cell],
    *evaluate: tuple[Protocol, list[Cell]],
    on_epoch: Callable[[int], None] = lambda epoch: None,
) -> Outcome:
    wanted = tuple((protocol, tuple(made)) for protocol, made in evaluate)
    return perform(
        Task(train=tuple(train), evaluate=wanted, seconds=0.0),
        Workplace(folder=store.folder, name="test", device="cpu"),
        lambda epoch, record: on_epoch(epoch),
    )


@pytest.fixture(scope="module")
def finished(cells, protocol, tmp_path_factory) -> Store:
    """Results of both cells in one stack; tests only read them."""
    store = Store(tmp_path_factory.mktemp("finished"))
    outcome = run_task(store, cells, (protocol, cells))
    assert outcome == Outcome(done=2, failed={})
    return store


def metrics_of(store: Store) -> pd.DataFrame:
    return store.rows("metrics", store.evaluations())


def history_of(store: Store) -> pd.DataFrame:
    return store.rows("history", store.cells())


def tables(store: Store) -> dict[str, pd.DataFrame]:
    """All tables without wall times."""
    found = {
        "cells": store.cells(),
        "history": history_of(store),
        "evaluations": store.evaluations(),
        "metrics": metrics_of(store),
        "individuals": store.rows("individuals", store.evaluations()),
    }
    return {name: t.drop(columns=TIMES, errors="ignore") for name, t in found.items()}


def assert_same_tables(left: Store, right: Store) -> None:
    for name, table in tables(left).items():
        pd.testing.assert_frame_equal(table, tables(right)[name], check_exact=True)


def weights(store: Store, made: Cell) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(
        store.folder / "weights" / f"{made.id}.safetensors"
    )


def interrupt_at(epoch: int) -> Callable[[int], None]:
    def on_epoch(number: int) -> None:
        if number == epoch:
            raise KeyboardInterrupt

    return on_epoch


def no_training(*_: object, **__: object) -> None:
    raise AssertionError("trained again")


# --- what a task leaves --------------------------------------------------------------


def test_a_task_leaves_its_parts_and_nothing_else(finished, cells, protocol):
    ids = [made.id for made in cells]
    trained, evaluated = stack_id(ids), stack_id(ids, protocol_id(protocol), "")
    assert sorted(path for path in files(finished.folder)) == sorted(
        [
            *(f"{table}/part-{trained}.parquet" for table in ("cells", "history")),
            *(
                f"{table}/part-{evaluated}.parquet"
                for table in ("evaluations", "individuals", "metrics")
            ),
            f"protocols/part-{protocol_id(protocol)}.parquet",
            *(f"weights/{name}.safetensors" for name in ids),
        ]
    )
    assert done(finished.cells()) == done(finished.evaluations()) == set(ids)


def test_what_is_stored_is_what_was_asked_for(finished, cells, protocol):
    (stored,) = finished.protocols().values()
    assert json.loads(stored) == json.loads(json.dumps(describe(protocol)))
    for row in finished.cells().to_dict("records"):
        run = rebuild(json.loads(row["config"]))
        again = cell(run, row["data_identity"])
        assert (again.id, again.pair) == (row["cell"], row["pair"])


def test_the_history_has_a_row_for_each_cell_and_epoch(finished, cells):
    history = history_of(finished)
    for made in cells:
        own = history[history["cell"] == made.id]
        assert list(own["epoch"]) == [1, 2, 3, 4]
        assert own["loss"].notna().all()
        searched = made.run.objective.needs_counterfactuals
        for name in ("mature_share", "search_steps", "broken_rows"):
            assert own[name].notna().all() == searched
        assert (own["train_accuracy"] <= 1).all()
    full, vanilla = (history[history["cell"] == made.id] for made in cells)
    objective = cells[0].run.objective
    expected = (
        objective.class_weight * full["class_loss"]
        + objective.divergence_weight * full["divergence"]
        + objective.adversarial_weight * full["adversarial_loss"]
        + objective.ridge_weight * full["ridge"]
    )
    assert full["loss"].tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert vanilla["loss"].tolist() == pytest.approx(vanilla["class_loss"].tolist())


def test_the_facts_of_a_cell(finished, cells):
    table = finished.cells().set_index("cell")
    for made in cells:
        row = table.loc[made.id]
        assert json.loads(row["config"]) == describe(made.run)
        assert row["name"] == "test"
        assert row["data_source"] == "generated"
        assert row["data_identity"] == made.data
        assert (row["train_rows"], row["test_rows"]) == (120, 60)
        assert row["status"] == "done"
        assert pd.isna(row["reason"])
        assert row["stack_cells"] == 2
        assert row["cftrain_version"] == cftrain.__version__
        assert row["torch_version"] == torch.__version__
        age = datetime.now(UTC) - row["created"].to_pydatetime()
        assert timedelta(0) <= age < timedelta(minutes=10)
        assert row["seconds"] > 0
    assert table["pair"].nunique() == 1
    assert set(table["objective"]) == {"full", "vanilla"}


def test_the_weights_on_disk_are_those_that_were_measured(finished, cells):
    """Layers applied by hand give the accuracy in the table of metrics."""
    dataset = cells[0].run.data.load()
    metrics = metrics_of(finished)
    for made in cells:
        first, second = (
            [held[f"{layer}.weight"], held[f"{layer}.bias"]]
            for held in [weights(finished, made)]
            for layer in (0, 2)
        )
        assert first[0].shape == (32, 2)
        hidden = (dataset.test_features @ first[0].T + first[1]).clamp(min=0)
        predicted = (hidden @ second[0].T + second[1]).argmax(1)
        accuracy = (predicted == dataset.test_labels).double().mean().item()
        chosen = (metrics["cell"] == made.id) & (metrics["metric"] == "accuracy")
        assert metrics[chosen]["value"].tolist() == pytest.approx([accuracy])
        path = finished.folder / "weights" / f"{made.id}.safetensors"
        with safe_open(path, framework="pt") as file:
            assert file.metadata()["cell"] == made.id


def test_every_measurement_is_a_row_with_unit_and_direction(finished, cells):
    metrics = metrics_of(finished)
    assert metrics["unit"].notna().all()
    higher = metrics.groupby("metric")["higher_is_better"].unique().map(list)
    assert higher["validity"] == [True]
    assert higher["ip"] == [False]
    rounds = metrics[metrics["metric"] == "ip"].groupby("cell").size()
    assert rounds.to_dict() == {made.id: 2 * 2 for made in cells}
    assert metrics[metrics["rows"] == 0]["value"].isna().all()
    assert metrics[metrics["rows"] > 0]["value"].notna().all()


def test_data_that_were_read_before_are_not_read_again(
    cells, protocol, store, monkeypatch
):
    """Images take longer to read than a small model to train."""
    source, read = type(cells[0].run.data), []
    load = source.load
    monkeypatch.setattr(source, "load", lambda self: read.append(self) or load(self))
    data, place = Data("cpu"), Workplace(folder=store.folder, name="test", device="cpu")
    trained = Task(train=tuple(cells), evaluate=(), seconds=0.0)
    perform(trained, place, data=data)
    evaluated = Task(train=(), evaluate=((protocol, tuple(cells)),), seconds=0.0)
    assert perform(evaluated, place, data=data).failed == {}
    assert len(read) == 1
    perform(evaluated, place)
    assert len(read) == 2


def test_cells_train_in_a_stack_as_alone(finished, cells, tmp_path):
    together = history_of(finished)
    for made in cells:
        alone = Store(tmp_path / made.id)
        run_task(alone, [made])
        for name, value in weights(alone, made).items():
            torch.testing.assert_close(
                value, weights(finished, made)[name], rtol=1e-4, atol=1e-6
            )
        own = together[together["cell"] == made.id]
        # Some columns of a cell without counterfactuals depend on its neighbours.
        same = ["class_loss", "mature_share", "search_steps", "train_accuracy"]
        pd.testing.assert_frame_equal(
            history_of(alone)[same],
            own[same].reset_index(drop=True),
            rtol=1e-4,
        )


def test_a_repeated_task_gives_the_same_numbers(finished, cells, protocol, store):
    run_task(store, cells, (protocol, cells))
    assert_same_tables(store, finished)


# --- interruptions -------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [1, 3, EPOCHS])
def test_an_interrupted_stack_goes_on_bit_for_bit(
    finished, cells, protocol, store, epoch
):
    with pytest.raises(KeyboardInterrupt):
        run_task(store, cells, (protocol, cells), on_epoch=interrupt_at(epoch))
    assert store.cells().empty
    assert metrics_of(store).empty
    again: list[int] = []
    run_task(store, cells, (protocol, cells), on_epoch=again.append)
    assert again == list(range(epoch, EPOCHS + 1))
    for made in cells:
        for name, value in weights(store, made).items():
            assert torch.equal(value, weights(finished, made)[name])
    assert_same_tables(store, finished)
    assert sorted(files(store.folder)) == sorted(files(finished.folder))


@pytest.mark.parametrize("table", ["history", "cells"])
def test_what_cannot_be_written_need_not_be_trained_again(
    finished, cells, protocol, store, monkeypatch, table
):
    write = Store.write

    def fail(self: Store, name: str, part: str, rows: object) -> None:
        if name == table:
            raise ResultError("no space")
        write(self, name, part, rows)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", fail)
        with pytest.raises(ResultError, match="no space"):
            run_task(store, cells, (protocol, cells))
    assert store.cells().empty
    again: list[int] = []
    run_task(store, cells, (protocol, cells), on_epoch=again.append)
    assert again == []
    assert_same_tables(store, finished)


def test_metrics_that_cannot_be_written_leave_the_training(
    finished, cells, protocol, store, monkeypatch
):
    write = Store.write

    def fail(self: Store, name: str, part: str, rows: object) -> None:
        if name == "metrics":
            raise ResultError("no space")
        write(self, name, part, rows)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", fail)
        with pytest.raises(ResultError, match="no space"):
            run_task(store, cells, (protocol, cells))
    assert done(store.cells()) == {made.id for made in cells}
    assert store.evaluations().empty
    monkeypatch.setattr(Trainer, "train", no_training)
    run_task(store, [], (protocol, cells))
    assert_same_tables(store, finished)


def test_weights_that_cannot_be_written_are_an_error(cells, store, monkeypatch):
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> None:
        write(path, content[:4])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResultError, match=r"safetensors: .*No space left on device"):
        run_task(store, cells)
    assert store.cells().empty
    assert not list((store.folder / "weights").iterdir())


@pytest.mark.parametrize("damage", ["foreign", "truncated"])
def test_a_checkpoint_that_does_not_fit_is_discarded(
    finished, cells, protocol, store, damage, capsys
):
    strangers = pair_of_cells("seed=1")
    with pytest.raises(KeyboardInterrupt):
        run_task(store, strangers, on_epoch=interrupt_at(3))
    (foreign,) = (store.folder / "checkpoints").iterdir()
    ids = [made.id for made in cells]
    path = checkpoint_of(store.folder, stack_id(ids), ids).path
    shutil.copy(foreign, path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-7])
    epochs: list[int] = []
    run_task(store, cells, (protocol, cells), on_epoch=epochs.append)
    assert epochs == list(range(1, EPOCHS + 1))
    warning = capsys.readouterr().err
    assert warning.startswith(f"cftrain: warning: {path}: expected ")
    assert warning.endswith("; the stack is trained from the start\n")
    assert_same_tables(store, finished)
    assert list((store.folder / "checkpoints").iterdir()) == [foreign]


# --- evaluation of what is stored ----------------------------------------------------


def test_another_protocol_trains_nothing_and_keeps_the_numbers_of_the_first(
    finished, cells, protocol, other, store, monkeypatch
):
    shutil.copytree(finished.folder, store.folder)
    monkeypatch.setattr(Trainer, "train", no_training)
    run_task(store, [], (other, cells))
    found = metrics_of(store)
    assert set(found["protocol"]) == {protocol_id(protocol), protocol_id(other)}
    first = found[found["protocol"] == protocol_id(protocol)]
    pd.testing.assert_frame_equal(
        first.reset_index(drop=True), metrics_of(finished), check_exact=True
    )
    assert set(found[found["protocol"] == protocol_id(other)]["round"].dropna()) == {
        *range(3)
    }


def test_models_are_evaluated_alone_and_later_as_together(
    finished, cells, protocol, store
):
    """Bit for bit, from the weights on disk alone."""
    shutil.copytree(finished.folder, store.folder)
    for table in ("evaluations", "metrics", "individuals"):
        shutil.rmtree(store.folder / table)
    for made in cells:
        run_task(store, [], (protocol, [made]))
    keys = ["cell", "metric", "energy_weight", "round", "epsilon"]
    alone, together = (
        metrics_of(each).drop(columns="stack").sort_values(keys, ignore_index=True)
        for each in (store, finished)
    )
    pd.testing.assert_frame_equal(alone, together, check_exact=True)


def breaking(cells: list[Cell]) -> Callable[..., object]:
    """`evaluate` of a metric that fails for stacks of cells with the first seed."""
    evaluate = measured.evaluate

    def broken(
        classifier: object, *arguments: object, streams: list, **options: object
    ) -> object:
        if len(streams) > 1 or broken.calls == 0:
            broken.calls += len(streams) == 1
            raise RuntimeError("a metric that breaks")
        return evaluate(classifier, *arguments, streams=streams, **options)

    broken.calls = 0
    return broken


def test_a_failing_metric_is_a_failed_evaluation_of_its_cell_only(
    finished, cells, protocol, other, store, monkeypatch
):
    shutil.copytree(finished.folder, store.folder)
    before = tables(store)
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "train", no_training)
        patched.setattr(measured, "evaluate", breaking(cells))
        outcome = run_task(store, [], (other, cells))
    reason = "RuntimeError: a metric that breaks"
    assert outcome == Outcome(done=1, failed={cells[0].id: reason})
    found = store.evaluations()
    assert failed(found) == {cells[0].id: reason}
    of_other = found[found["protocol"] == protocol_id(other)]
    assert done(of_other) == {cells[1].id}
    assert set(of_other["cell"]) == {made.id for made in cells}
    pd.testing.assert_frame_equal(tables(store)["cells"], before["cells"])
    assert len(found) == 4
    run_task(store, [], (other, [cells[0]]))
    assert failed(store.evaluations()) == {}


def test_damaged_weights_are_a_failed_evaluation_of_their_cell_only(
    finished, cells, other, store
):
    shutil.copytree(finished.folder, store.folder)
    path = store.folder / "weights" / f"{cells[0].id}.safetensors"
    path.unlink()
    outcome = run_task(store, [], (other, cells))
    assert outcome.done == 1
    assert list(outcome.failed) == [cells[0].id]
    assert outcome.failed[cells[0].id].startswith(f"{path}: expected the weights")
    assert failed(store.evaluations()) == {}, "files may be put back"


@pytest.mark.parametrize("together", [True, False])
def test_an_evaluation_that_fails_when_repeated_keeps_the_older_one(
    finished, cells, protocol, store, monkeypatch, together
):
    shutil.copytree(finished.folder, store.folder)
    if not together:
        run_task(store, [], (protocol, [cells[0]]))
    before = tables(store)
    monkeypatch.setattr(measured, "evaluate", breaking(cells))
    outcome = run_task(store, [], (protocol, cells[:1]))
    assert outcome.failed == {cells[0].id: "RuntimeError: a metric that breaks"}
    for name, table in tables(store).items():
        pd.testing.assert_frame_equal(table, before[name], check_exact=True)


def test_a_training_that_fails_when_repeated_keeps_the_older_one(
    finished, cells, store, monkeypatch
):
    shutil.copytree(finished.folder, store.folder)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(worker, "train", broken)
    outcome = run_task(store, cells)
    assert set(outcome.failed) == {made.id for made in cells}
    assert_same_tables(store, finished)


def test_a_failed_training_is_not_evaluated(cells, protocol, store, monkeypatch):
    def broken(runs: list, *_: object, **__: object) -> None:
        raise RuntimeError(f"{len(runs)} at once")

    monkeypatch.setattr(worker, "train", broken)
    outcome = run_task(store, cells, (protocol, cells))
    reasons = {made.id: "RuntimeError: 1 at once" for made in cells}
    assert outcome == Outcome(done=0, failed=reasons)
    assert failed(store.cells()) == reasons
    assert store.evaluations().empty


def test_other_data_than_planned_fail_the_cell_and_nothing_else(
    finished, cells, protocol, other, store, monkeypatch
):
    shutil.copytree(finished.folder, store.folder)
    before = files(store.folder)
    strangers = [
        replace(made, id=f"x{made.id}", data="generated:other") for made in cells
    ]
    outcome = run_task(store, strangers, (protocol, strangers))
    assert set(outcome.failed) == {made.id for made in strangers}
    for reason in outcome.failed.values():
        assert reason.startswith("moons: expected the data generated:other, got ")
    planned = [replace(made, data="generated:other") for made in cells]
    outcome = run_task(store, [], (other, planned))
    assert set(outcome.failed) == {made.id for made in cells}
    after = files(store.folder)
    assert {name: after[name] for name in before} == before
    assert done(store.cells()) == {made.id for made in cells}


# --- divergence ----------------------------------------------------------------------


def test_a_stack_that_diverges_is_no_result(store):
    cells = pair_of_cells("schedule.optimiser.learning_rate=1e30")
    protocol = read(*TINY_MOONS)[1].evaluation
    run_task(store, cells, (protocol, cells))
    table = store.cells()
    assert set(table["status"]) == {"failed"}
    assert table["reason"].str.startswith("diverged: ").all()
    assert store.evaluations().empty
    assert not history_of(store)["loss"].map(math.isinf).any()


def test_a_cell_that_diverges_does_not_harm_its_neighbour(finished, cells, store):
    lost, kept = pair_of_cells("objective.ridge_weight=1e38")
    assert kept == cells[1]
    run_task(store, [lost, kept])
    assert done(store.cells()) == {kept.id}
    table = store.cells().set_index("cell")
    assert table.loc[lost.id, "reason"].startswith("diverged: ")
    assert pd.isna(table.loc[kept.id, "reason"])
    for name, value in weights(store, kept).items():
        torch.testing.assert_close(value, weights(finished, cells[1])[name])


def test_seeds_give_other_data_splits_weights_and_draws(finished, cells, store):
    other = pair_of_cells("seed=1")
    run_task(store, other)
    for mine, theirs in zip(cells, other, strict=True):
        for name, value in weights(store, theirs).items():
            assert not torch.equal(value, weights(finished, mine)[name])


def test_damaged_weights_fail_the_evaluation_of_their_cell_only(
    finished, cells, protocol, other, tmp_path
):
    """By both protocols: that the first failed is no reason to skip the second."""
    store = Store(tmp_path / "copy")
    shutil.copytree(finished.folder, store.folder)
    broken, whole = cells
    weights_path(store.folder, broken.id).write_bytes(b"half")
    more = replace(other, rounds=4)
    outcome = run_task(store, [], (other, cells), (more, cells))
    assert set(outcome.failed) == {broken.id}
    assert f"{broken.id}.safetensors" in outcome.failed[broken.id]
    evaluations = store.evaluations().set_index(["cell", "protocol"])["status"]
    for name in (protocol_id(other), protocol_id(more)):
        assert (broken.id, name) not in evaluations.index, "files may be put back"
        assert evaluations[whole.id, name] == "done"
    assert done(store.cells()) == {made.id for made in cells}
