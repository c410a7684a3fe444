from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.sampling import training_rows
from cftrain.objectives.objective import Objective
from cftrain.training import trainer as trainer_module
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.epoch import EpochCounterfactuals
from cftrain.training.history import COLUMNS, EpochRecord
from cftrain.training.schedule import Schedule
from cftrain.training.trainer import Trainer
from tests import builders
from tests.builders import objective, schedule, stacked, streams, vanilla
from tests.oracles import training as oracle

EXTRA = ("divergence", "adversarial_loss", "ridge")
SEARCHES = ("mature_share", "search_steps", "broken_rows")


def trainer(
    objectives: list[Objective],
    plan: Schedule | None = None,
    searches: list[CounterfactualSearch] | None = None,
    seeds: list[int] | None = None,
    dataset=None,
    dtype: torch.dtype = torch.float64,
) -> Trainer:
    cells = streams(len(objectives))
    if seeds is not None:
        cells = [streams(1, seed)[0] for seed in seeds]
    return Trainer(
        rows=training_rows(
            dataset or builders.blobs(dtype=dtype), [s.child("split") for s in cells]
        ),
        search=stacked(searches or [builders.search()] * len(objectives), dtype),
        objective=stacked(objectives, dtype),
        schedule=plan or schedule(),
        streams=cells,
    )


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten(1) for p in model.parameters()], 1).clone()


def assert_same_history(found, expected, *, except_for=("seconds",), atol=0.0) -> None:
    assert len(found) == len(expected)
    for left, right in zip(found, expected, strict=True):
        for name in set(COLUMNS) - set(except_for):
            torch.testing.assert_close(
                getattr(left, name).double(),
                getattr(right, name).double(),
                rtol=0,
                atol=atol,
                equal_nan=True,
                msg=name,
            )


# --- second implementation -----------------------------------------------------------


def plain_copy(model: nn.Module, cell: int) -> nn.Module:
    """An ordinary network (row, feature) -> (row, class) with the weights of a cell."""
    layers: list[nn.Module] = []
    values = dict(model.named_parameters())
    for name, weight in values.items():
        if not name.endswith("weight"):
            continue
        bias = values[name.replace("weight", "bias")]
        layer = nn.Linear(weight.shape[2], weight.shape[1], dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(weight[cell])
            layer.bias.copy_(bias[cell])
        layers += [layer, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def test_training_agrees_with_a_plain_loop_and_the_librarys_adam(monkeypatch):
    """96 rows less 24, 20 a batch: the last batch is short; 30 tuples for 4 batches."""
    members = [
        objective(),
        objective(1.0, 0.3, 0.0, 0.5),
        objective(2.0, 0.0, 1.0, 0.0),
    ]
    ours = trainer(members, schedule(epochs=3))
    model = builders.mlp(3)
    copies = [plain_copy(model, cell) for cell in range(3)]
    pools: list[EpochCounterfactuals] = []
    draw = trainer_module.draw_counterfactuals

    def recorded(*arguments, **options):
        pools.append(draw(*arguments, **options))
        return pools[-1]

    monkeypatch.setattr(trainer_module, "draw_counterfactuals", recorded)
    records = ours.train(model)
    assert len(pools) == 3
    for cell, member in enumerate(members):
        rows = ours.rows.training[cell]

        def tuples_of(epoch: int, cell: int = cell) -> oracle.Tuples:
            names = ("nascent", "nascent_label", "positive", "counterfactual", "target")
            pool = pools[epoch - 1]
            return oracle.Tuples(**{n: getattr(pool, n)[cell] for n in names})

        losses = oracle.train(
            copies[cell],
            ours.rows.dataset.features[rows],
            ours.rows.dataset.labels[rows],
            tuples_of=tuples_of,
            weights=oracle.Weights(
                classification=member.class_weight,
                divergence=member.divergence_weight,
                adversarial=member.adversarial_weight,
                ridge=member.ridge_weight,
            ),
            epochs=3,
            batch_rows=20,
            learning_rate=0.01,
        )
        expected = list(copies[cell].parameters())
        for found, parameter in zip(model.parameters(), expected, strict=True):
            torch.testing.assert_close(found[cell], parameter, rtol=0, atol=1e-10)
        assert [float(r.loss[cell]) for r in records] == pytest.approx(losses, rel=1e-6)


# --- counterfactuals -----------------------------------------------------------------


def test_there_are_no_counterfactuals_during_burn_in():
    records = trainer([objective()] * 2, schedule(epochs=4, burn_in=0.5)).train(
        builders.mlp(2)
    )
    for record in records[:2]:
        assert all((getattr(record, name) == 0).all() for name in EXTRA)
        assert all(torch.isnan(getattr(record, name)).all() for name in SEARCHES)
        torch.testing.assert_close(record.loss, record.class_loss)
    for record in records[2:]:
        assert (record.adversarial_loss > 0).all()
        assert (record.search_steps > 0).all()


def test_burn_in_for_ever_is_vanilla():
    burning, plain = builders.mlp(2), builders.mlp(2)
    trainer([objective()] * 2, schedule(burn_in=1.0)).train(burning)
    trainer([vanilla()] * 2).train(plain)
    assert torch.equal(weights(burning), weights(plain))


def test_vanilla_cells_search_nothing(monkeypatch):
    monkeypatch.setattr(trainer_module, "draw_counterfactuals", None)
    records = trainer([vanilla()] * 2).train(builders.mlp(2))
    assert all((getattr(records[0], name) == 0).all() for name in EXTRA)


def test_a_vanilla_cell_in_a_mixed_stack_is_a_vanilla_cell():
    mixed, alone = builders.mlp(3), builders.mlp(3)
    found = trainer([objective(), vanilla(), objective()]).train(mixed)
    expected = trainer([vanilla()] * 3).train(alone)
    torch.testing.assert_close(weights(mixed)[1], weights(alone)[1], rtol=0, atol=1e-12)
    assert not torch.allclose(weights(mixed)[0], weights(alone)[0])
    for name in ("loss", "class_loss", "train_accuracy", "validation_accuracy"):
        torch.testing.assert_close(
            getattr(found[-1], name)[1].double(),
            getattr(expected[-1], name)[1].double(),
        )
    for name in SEARCHES:
        assert torch.isnan(getattr(found[-1], name)[1])


def test_every_batch_gets_a_counterfactual():
    """Fewer than batches are raised to their number, as in the authors' code."""
    few = trainer([objective()], schedule(batch_rows=5, counterfactuals=3))
    assert len(few.rows) == 72
    assert few.counterfactuals == 15
    assert trainer([objective()], schedule(counterfactuals=30)).counterfactuals == 30
    records = few.train(builders.mlp(1))
    assert torch.isfinite(records[0].loss).all()


def test_searches_use_the_model_at_the_start_of_the_epoch(monkeypatch):
    model, seen, starts = builders.mlp(1), [], [weights(builders.mlp(1))]
    draw = trainer_module.draw_counterfactuals

    def recorded(classifier, *arguments, **options):
        seen.append(weights(classifier))
        return draw(classifier, *arguments, **options)

    monkeypatch.setattr(trainer_module, "draw_counterfactuals", recorded)
    trainer([objective()], schedule(epochs=3)).train(
        model, on_epoch=lambda epoch, record: starts.append(weights(model))
    )
    assert len(seen) == 3
    for found, expected in zip(seen, starts[:-1], strict=True):
        assert torch.equal(found, expected)


def test_every_epoch_and_cell_has_its_own_draws(monkeypatch):
    seen = []
    draw = trainer_module.draw_counterfactuals

    def recorded(*arguments, **options):
        seen.extend(options["streams"])
        return draw(*arguments, **options)

    monkeypatch.setattr(trainer_module, "draw_counterfactuals", recorded)
    trainer([objective()] * 2, schedule(epochs=3)).train(builders.mlp(2))
    assert len(set(seen)) == len(seen) == 6


# --- what is reported ----------------------------------------------------------------


def test_accuracies_are_those_of_the_model_after_the_epoch(monkeypatch):
    monkeypatch.setattr("cftrain.models.stack_slicing.PREDICTED_ROWS", 7)
    ours, model = trainer([objective()] * 2), builders.mlp(2)
    records = ours.train(model)
    for part in ("train", "validation"):
        index = ours.rows.training if part == "train" else ours.rows.validation
        predicted = model(ours.rows.features(index)).argmax(-1)
        expected = (predicted == ours.rows.labels(index)).double().mean(1)
        found = getattr(records[-1], f"{part}_accuracy")
        torch.testing.assert_close(found.double(), expected)


def test_epochs_are_reported_as_they_end():
    seen: list[tuple[int, EpochRecord]] = []
    records = trainer([vanilla()], schedule(epochs=3)).train(
        builders.mlp(1), on_epoch=lambda epoch, record: seen.append((epoch, record))
    )
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert [record for _, record in seen] == records


def test_training_lowers_the_loss_and_finds_the_blobs():
    plan = schedule(epochs=15, learning_rate=0.02)
    records = trainer([objective(), vanilla()], plan).train(builders.mlp(2))
    assert (records[-1].class_loss < 0.6 * records[0].class_loss).all()
    assert (records[-1].validation_accuracy > 0.75).all()


# --- numbers that are not finite -----------------------------------------------------


def test_a_cell_that_breaks_is_skipped_and_counted_and_the_others_do_not_notice():
    whole, broken = builders.mlp(3), builders.mlp(3)
    with torch.no_grad():
        next(broken.parameters())[1, 0, 0] = torch.nan
    start = weights(broken)
    expected = trainer([objective()] * 3).train(whole)
    found = trainer([objective()] * 3).train(broken)
    after = weights(broken)
    for cell in (0, 2):
        assert torch.equal(after[cell], weights(whole)[cell])
    torch.testing.assert_close(after[1], start[1], rtol=0, atol=0, equal_nan=True)
    for record in found:
        assert record.skipped_batches.tolist() == [0, 4, 0]
        assert record.broken_rows.tolist() == [0, 30, 0]
    for left, right in zip(found, expected, strict=True):
        for name in set(COLUMNS) - {"seconds"}:
            torch.testing.assert_close(
                getattr(left, name)[::2],
                getattr(right, name)[::2],
                rtol=0,
                atol=0,
                equal_nan=True,
            )


def test_losses_of_a_cell_without_any_update_are_not_a_number():
    """Zero would be the best loss of the grid."""
    model = builders.mlp(2)
    with torch.no_grad():
        next(model.parameters())[1, 0, 0] = torch.nan
    record = trainer([objective()] * 2).train(model)[-1]
    assert torch.isfinite(record.loss[0])
    assert torch.isnan(record.loss[1])


# --- order of rows -------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", ["once", "epoch"])
def test_a_shuffled_cell_of_a_stack_is_the_cell_alone(shuffle):
    plan = schedule(epochs=3, shuffle=shuffle)
    model = builders.mlp(3)
    trainer([objective()] * 3, plan).train(model)
    for cell in range(3):
        alone = builders.mlp(1, seed=cell)
        with torch.no_grad():
            for one, whole in zip(
                alone.parameters(), builders.mlp(3).parameters(), strict=True
            ):
                one.copy_(whole[cell : cell + 1])
        trainer([objective()], plan, seeds=[cell]).train(alone)
        torch.testing.assert_close(
            weights(alone)[0], weights(model)[cell], rtol=0, atol=1e-10
        )


def test_rows_shuffled_once_train_like_rows_given_in_that_order():
    shuffled, given, kept = builders.mlp(2), builders.mlp(2), builders.mlp(2)
    once = trainer([vanilla()] * 2, schedule(shuffle="once"))
    once.train(shuffled)
    order = once.schedule.ordered(once.rows.training, once.streams, 1)
    plain = trainer([vanilla()] * 2)
    replace(plain, rows=replace(plain.rows, training=order)).train(given)
    assert torch.equal(weights(shuffled), weights(given))
    plain.train(kept)
    assert not torch.allclose(weights(shuffled), weights(kept))


# --- interruptions -------------------------------------------------------------------


class Interrupted(Exception):
    """The machine goes down."""


EPOCHS = 4
PLAN = schedule(epochs=EPOCHS, burn_in=0.25)


def run_until(
    stop: int,
    checkpoint: Checkpoint | None,
    dtype: torch.dtype,
    epochs: list[int] | None = None,
    plan: Schedule = PLAN,
) -> tuple:
    """Train; after the epoch `stop` was saved the machine goes down.

    Notes the epochs that it trains.
    """
    members = [objective(), vanilla(), objective(1.0, 0.1, 1.0, 0.0)]
    model = builders.mlp(3, dtype=dtype)

    def on_epoch(epoch: int, record: EpochRecord) -> None:
        if epochs is not None:
            epochs.append(epoch)
        if epoch == stop + 1:
            raise Interrupted

    searches = [builders.search(max_steps=5, threshold=0.5)] * 3
    ours = trainer(members, plan, searches, dtype=dtype)
    records = ours.train(model, checkpoint=checkpoint, on_epoch=on_epoch)
    return records, weights(model)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("stop", range(EPOCHS))
def test_a_resumed_training_is_an_uninterrupted_one(tmp_path, stop, dtype):
    checkpoint = Checkpoint(path=tmp_path / "stack", cells=("me",))
    expected, expected_weights = run_until(EPOCHS, None, dtype)
    with pytest.raises(Interrupted):
        run_until(stop, checkpoint, dtype)
    found, found_weights = run_until(EPOCHS, checkpoint, dtype)
    assert torch.equal(found_weights, expected_weights)
    assert_same_history(found, expected)


@pytest.mark.parametrize("shuffle", ["once", "epoch"])
def test_a_resumed_training_goes_on_with_the_same_orders(tmp_path, shuffle):
    checkpoint = Checkpoint(path=tmp_path / "stack", cells=("me",))
    plan = replace(PLAN, shuffle=shuffle)
    expected, expected_weights = run_until(EPOCHS, None, torch.float64, plan=plan)
    with pytest.raises(Interrupted):
        run_until(2, checkpoint, torch.float64, plan=plan)
    found, found_weights = run_until(EPOCHS, checkpoint, torch.float64, plan=plan)
    assert torch.equal(found_weights, expected_weights)
    assert_same_history(found, expected)


def test_a_finished_training_is_not_repeated(tmp_path):
    checkpoint = Checkpoint(path=tmp_path / "stack", cells=("me",))
    expected, expected_weights = run_until(EPOCHS, checkpoint, torch.float64)
    found, found_weights = run_until(-1, checkpoint, torch.float64)
    assert torch.equal(found_weights, expected_weights)
    assert_same_history(found, expected, except_for=())


def assert_trained_anew(checkpoint: Checkpoint) -> None:
    """From the first epoch on, as if there were no checkpoint."""
    expected, expected_weights = run_until(EPOCHS, None, torch.float64)
    epochs: list[int] = []
    found, found_weights = run_until(EPOCHS, checkpoint, torch.float64, epochs)
    assert epochs == list(range(1, EPOCHS + 1))
    assert torch.equal(found_weights, expected_weights)
    assert_same_history(found, expected)


def test_a_foreign_checkpoint_is_discarded(tmp_path, capsys):
    path = tmp_path / "stack"
    run_until(EPOCHS, Checkpoint(path=path, cells=("me",)), torch.float64)
    assert_trained_anew(Checkpoint(path=path, cells=("you",)))
    assert "expected one of cells ('you',), got ('me',)" in capsys.readouterr().err


def test_a_truncated_checkpoint_is_discarded(tmp_path, capsys):
    checkpoint = Checkpoint(path=tmp_path / "stack", cells=("me",))
    run_until(EPOCHS, checkpoint, torch.float64)
    half = checkpoint.path.read_bytes()[: checkpoint.path.stat().st_size // 2]
    checkpoint.path.write_bytes(half)
    assert_trained_anew(checkpoint)
    assert "expected a readable checkpoint" in capsys.readouterr().err


def test_a_checkpoint_that_lacks_tensors_is_discarded(tmp_path, capsys):
    checkpoint = Checkpoint(path=tmp_path / "stack", cells=("me",))
    run_until(EPOCHS, checkpoint, torch.float64)
    state = load_file(checkpoint.path)
    checkpoint.save({n: value for n, value in state.items() if n != "mean"})
    assert_trained_anew(checkpoint)
    assert "expected tensors" in capsys.readouterr().err
