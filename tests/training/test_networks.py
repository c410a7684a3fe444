"""Networks of torch with dropout are trained as our own models are."""

from dataclasses import replace

import pytest
import torch

from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.run import Run
from cftrain.training.stack import train
from tests.console import TINY_MOONS, run_of
from tests.models.networks import Deciding, Pictures, Tabular, spec
from tests.training.test_trainer import Interrupted

CPU = torch.device("cpu")
MODELS = {
    "vmapped": spec(Tabular, width=6, dropout=0.3),
    "in_turns": spec(Pictures, row_shape=(1, 1, 2)),
}


def runs(name: str) -> list[Run]:
    """Two that differ in seeds and objectives."""
    words = ("schedule.epochs=2", "schedule.shuffle=epoch")
    first = replace(run_of(*TINY_MOONS, *words), model=MODELS[name])
    energy = replace(first.objective, divergence_weight=0.0, ridge_weight=0.0)
    return [first, replace(first, seed=7, objective=energy)]


def weights(found, cell: int = 0) -> dict[str, torch.Tensor]:
    return {name: v[cell] for name, v in found.classifier.state_dict().items()}


@pytest.mark.parametrize("name", MODELS)
def test_stacked_is_alone(name):
    members = runs(name)
    dataset = members[0].data.load()
    whole = train(members, dataset, device=CPU)
    for cell, run in enumerate(members):
        alone = weights(train([run], dataset, device=CPU))
        for key, value in weights(whole, cell).items():
            torch.testing.assert_close(value, alone[key], rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("name", MODELS)
def test_a_resumed_training_is_an_uninterrupted_one(name, tmp_path):
    members = runs(name)
    dataset = members[0].data.load()
    expected = train(members, dataset, device=CPU)

    def interrupt(epoch: int, record: object) -> None:
        if epoch == 2:
            raise Interrupted

    checkpoint = Checkpoint(path=tmp_path / "stack", cells=("a", "b"))
    torch.manual_seed(1)
    with pytest.raises(Interrupted):
        train(members, dataset, device=CPU, checkpoint=checkpoint, on_epoch=interrupt)
    torch.manual_seed(2)
    found = train(members, dataset, device=CPU, checkpoint=checkpoint)
    for cell in range(2):
        for key, value in weights(expected, cell).items():
            assert torch.equal(weights(found, cell)[key], value)


def test_dropout_changes_what_is_learned_and_not_what_is_said():
    run = runs("vmapped")[0]
    dataset = run.data.load()
    plain = replace(run, model=replace(run.model, dropout=0.0))
    with_dropout = train([run], dataset, device=CPU)
    without = train([plain], dataset, device=CPU)
    name = "inputs.weight"
    assert not torch.equal(weights(with_dropout)[name], weights(without)[name])
    x = dataset.features[:9].unsqueeze(0)
    model = frozen(with_dropout.classifier, slice(None))
    assert torch.equal(model(x), model(x))


def test_what_is_not_trained_stays():
    run = runs("vmapped")[0]
    dataset = run.data.load()
    trained = weights(train([run], dataset, device=CPU))
    stream = Stream(run.seed).child("weights")
    start = run.model.build(features=2, classes=2, streams=[stream]).state_dict()
    for name in ("shift", "scale"):
        assert torch.equal(trained[name], start[name][0])


def test_gradients_through_gradients_train_as_well():
    """Terms beyond the paper differentiate twice."""
    run = replace(
        run_of(*TINY_MOONS, "schedule.epochs=1", "objective=gradient_penalty"),
        model=spec(Deciding),
    )
    trained = train([run], run.data.load(), device=CPU)
    assert all(v.isfinite().all() for v in weights(trained).values())
