"""A stack from its data to its results on disk."""

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
from safetensors import SafetensorError, safe_open

import cftrain
from cftrain.config.identity import describe
from cftrain.errors import ResultError
from cftrain.grid.cells import Cell, cell
from cftrain.grid.worker import run_stack
from cftrain.results.store import Store
from cftrain.training.run import stack_id
from tests.console import TINY_MOONS, files, read

EPOCHS = 4
CPU = torch.device("cpu")
TIMES = ["seconds", "created", "train_seconds", "evaluate_seconds"]


def pair_of_cells(*overrides: str) -> list[Cell]:
    run, settings = read(*TINY_MOONS, f"schedule.epochs={EPOCHS}", *overrides)
    twin = replace(run, objective=settings.compare)
    return [cell(made, "generated") for made in (run, twin)]


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return pair_of_cells()


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "results")


def train(
    cells: list[Cell],
    store: Store,
    on_epoch: Callable[[int], None] = lambda epoch: None,
) -> str:
    """Run the cells as one stack; its id."""
    stack = stack_id([made.id for made in cells])
    run_stack(
        cells,
        stack,
        store,
        name="test",
        device=CPU,
        on_epoch=lambda epoch, record: on_epoch(epoch),
    )
    return stack


@pytest.fixture(scope="module")
def finished(cells, tmp_path_factory) -> Store:
    """Results of both cells in one stack; tests only read them."""
    store = Store(tmp_path_factory.mktemp("finished"))
    train(cells, store)
    return store


def tables(store: Store) -> dict[str, pd.DataFrame]:
    """All tables without wall times."""
    return {
        name: store.read(name).drop(columns=TIMES, errors="ignore")
        for name in ("cells", "history", "metrics")
    }


def weights(store: Store, made: Cell) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(
        store.folder / "weights" / f"{made.id}.safetensors"
    )


def interrupt_at(epoch: int) -> Callable[[int], None]:
    def on_epoch(number: int) -> None:
        if number == epoch:
            raise KeyboardInterrupt

    return on_epoch


def test_a_stack_leaves_its_parts_and_nothing_else(finished, cells):
    stack = stack_id([made.id for made in cells])
    tables = ("cells", "history", "individuals", "metrics")
    assert sorted(files(finished.folder)) == sorted(
        [
            *(f"{table}/part-{stack}.parquet" for table in tables),
            *(f"weights/{made.id}.safetensors" for made in cells),
        ]
    )
    assert finished.done() == {made.id for made in cells}


def test_the_history_has_a_row_for_each_cell_and_epoch(finished, cells):
    history = finished.read("history")
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
    table = finished.read("cells").set_index("cell")
    for made in cells:
        row = table.loc[made.id]
        assert json.loads(row["config"]).items() >= describe(made.run).items()
        assert row["name"] == "test"
        assert row["data_source"] == "generated"
        assert (row["train_rows"], row["test_rows"]) == (120, 60)
        assert row["status"] == "done"
        assert pd.isna(row["reason"])
        assert row["stack_cells"] == 2
        assert row["cftrain_version"] == cftrain.__version__
        assert row["torch_version"] == torch.__version__
        age = datetime.now(UTC) - row["created"].to_pydatetime()
        assert timedelta(0) <= age < timedelta(minutes=10)
        assert row["train_seconds"] > 0
    assert table["pair"].nunique() == 1
    assert set(table["objective"]) == {"full", "vanilla"}


def test_the_weights_on_disk_are_those_that_were_measured(finished, cells):
    """Layers applied by hand give the accuracy in the table of metrics."""
    dataset = cells[0].run.data.load()
    metrics = finished.read("metrics")
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
    metrics = finished.read("metrics")
    assert metrics["unit"].notna().all()
    higher = metrics.groupby("metric")["higher_is_better"].unique().map(list)
    assert higher["validity"] == [True]
    assert higher["ip"] == [False]
    rounds = metrics[metrics["metric"] == "ip"].groupby("cell").size()
    assert rounds.to_dict() == {made.id: 2 * 2 for made in cells}
    assert metrics[metrics["rows"] == 0]["value"].isna().all()
    assert metrics[metrics["rows"] > 0]["value"].notna().all()


def test_cells_train_in_a_stack_as_alone(finished, cells, tmp_path):
    together = finished.read("history")
    for made in cells:
        alone = Store(tmp_path / made.id)
        train([made], alone)
        for name, value in weights(alone, made).items():
            torch.testing.assert_close(
                value, weights(finished, made)[name], rtol=1e-4, atol=1e-6
            )
        own = together[together["cell"] == made.id]
        # Some columns of a cell without counterfactuals depend on its neighbours.
        same = ["class_loss", "mature_share", "search_steps", "train_accuracy"]
        pd.testing.assert_frame_equal(
            alone.read("history")[same],
            own[same].reset_index(drop=True),
            rtol=1e-4,
        )


def test_a_repeated_stack_gives_the_same_numbers(finished, cells, store):
    train(cells, store)
    for name, table in tables(store).items():
        pd.testing.assert_frame_equal(table, tables(finished)[name], check_exact=True)


@pytest.mark.parametrize("epoch", [1, 3, EPOCHS])
def test_an_interrupted_stack_goes_on_bit_for_bit(finished, cells, store, epoch):
    with pytest.raises(KeyboardInterrupt):
        train(cells, store, interrupt_at(epoch))
    assert store.done() == set()
    assert store.read("metrics").empty
    again: list[int] = []
    train(cells, store, again.append)
    assert again == list(range(epoch, EPOCHS + 1))
    for made in cells:
        for name, value in weights(store, made).items():
            assert torch.equal(value, weights(finished, made)[name])
    for name, table in tables(store).items():
        pd.testing.assert_frame_equal(table, tables(finished)[name], check_exact=True)
    assert sorted(files(store.folder)) == sorted(files(finished.folder))


def test_what_cannot_be_written_need_not_be_trained_again(
    finished, cells, store, monkeypatch
):
    write = Store.write

    def fail(self: Store, table: str, stack: str, rows: object) -> None:
        if table == "metrics":
            raise ResultError("no space")
        write(self, table, stack, rows)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", fail)
        with pytest.raises(ResultError, match="no space"):
            train(cells, store)
    assert store.done() == set()
    again: list[int] = []
    train(cells, store, again.append)
    assert again == []
    pd.testing.assert_frame_equal(tables(store)["metrics"], tables(finished)["metrics"])


def test_weights_that_cannot_be_written_are_an_error(cells, store, monkeypatch):
    def full(tensors: object, path: Path, **_: object) -> None:
        if "checkpoints" in str(path):
            return Path(path).touch()
        Path(path).write_bytes(b"half")
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(ResultError, match=r"safetensors: .*No space left on device"):
        train(cells, store)
    assert store.done() == set()
    assert not list((store.folder / "weights").iterdir())


def test_a_checkpoint_of_other_cells_is_refused_and_stays(cells, store):
    other = pair_of_cells("seed=1")
    with pytest.raises(KeyboardInterrupt):
        train(other, store, interrupt_at(2))
    folder = store.folder / "checkpoints"
    (foreign,) = folder.iterdir()
    stack = stack_id([made.id for made in cells])
    shutil.copy(foreign, folder / f"{stack}.safetensors")
    before = files(store.folder)
    with pytest.raises(ResultError, match=f"expected a checkpoint of stack {stack}"):
        train(cells, store)
    assert files(store.folder) == before
    train(other, store)
    assert store.done() == {made.id for made in other}


def test_a_stack_that_diverges_is_no_result(store):
    cells = pair_of_cells("schedule.optimiser.learning_rate=1e30")
    train(cells, store)
    assert store.done() == set()
    table = store.read("cells")
    assert set(table["status"]) == {"failed"}
    assert table["reason"].str.startswith("diverged: ").all()
    assert not store.read("metrics")["value"].map(math.isinf).any()


def test_a_cell_that_diverges_does_not_harm_its_neighbour(finished, cells, store):
    lost, kept = pair_of_cells("objective.ridge_weight=1e38")
    assert kept == cells[1]
    train([lost, kept], store)
    assert store.done() == {kept.id}
    table = store.read("cells").set_index("cell")
    assert table.loc[lost.id, "reason"].startswith("diverged: ")
    assert pd.isna(table.loc[kept.id, "reason"])
    for name, value in weights(store, kept).items():
        torch.testing.assert_close(value, weights(finished, cells[1])[name])


def test_seeds_give_other_data_splits_weights_and_draws(finished, cells, store):
    other = pair_of_cells("seed=1")
    train(other, store)
    for mine, theirs in zip(cells, other, strict=True):
        for name, value in weights(store, theirs).items():
            assert not torch.equal(value, weights(finished, mine)[name])
