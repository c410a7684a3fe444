"""Which weights stay, and when a cell stops: by hand, and alone as in company."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cftrain.config.identity import describe
from cftrain.grid.cells import cell
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.history import COLUMNS, EpochRecord
from cftrain.training.keeping import Keeper, epochs_trained
from cftrain.training.run import rebuild
from cftrain.training.stack import train
from tests.builders import schedule
from tests.console import TINY_MOONS, read, run_of

RUN = (*TINY_MOONS, "schedule.epochs=12", "schedule.optimiser.learning_rate=0.02")


def record(*accuracies: float) -> EpochRecord:
    """Of as many cells; all else is nothing."""
    values = {name: torch.zeros(len(accuracies)) for name in COLUMNS}
    values["validation_accuracy"] = torch.tensor(accuracies, dtype=torch.float64)
    return EpochRecord(**values)


def kept(accuracies: list[float], **options: object) -> tuple[float, int]:
    """The epoch whose weights one cell ends with, and after how many it stopped."""
    plan = schedule(epochs=len(accuracies), **options)
    weights = torch.zeros(1, 1)
    keeper = Keeper(plan, weights)
    records = [record(accuracy) for accuracy in accuracies]
    for epoch, each in enumerate(records, start=1):
        if not keeper.all_stopped:
            weights.fill_(epoch)
            keeper.note(each)
    keeper.finish()
    (epochs,) = epochs_trained(plan, records)
    return weights.item(), epochs


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (6, 6)),
        ({"keep": "best"}, (2, 6)),
        ({"patience": 2}, (4, 4)),
        ({"keep": "best", "patience": 2}, (2, 4)),
        ({"keep": "best", "patience": 9}, (2, 6)),
        # Of the first three epochs, half of all, none counts.
        ({"keep": "best", "burn_in": 0.5}, (6, 6)),
        ({"keep": "best", "burn_in": 0.5, "patience": 1}, (4, 5)),
    ],
)
def test_one_cell(options, expected):
    assert kept([0.5, 0.9, 0.8, 0.7, 0.7, 0.75], **options) == expected


def test_of_equal_epochs_the_first_one_is_kept():
    assert kept([0.5, 0.9, 0.9], keep="best") == (2, 3)


def test_each_cell_has_its_own_epoch():
    plan = schedule(epochs=3, keep="best")
    weights = torch.zeros(2, 1)
    keeper = Keeper(plan, weights)
    for epoch, accuracies in enumerate([(0.9, 0.1), (0.5, 0.2), (0.7, 0.3)], 1):
        weights.fill_(epoch)
        keeper.note(record(*accuracies))
    keeper.finish()
    assert weights[:, 0].tolist() == [1, 3]


def weights_of(classifier: torch.nn.Module, place: int) -> torch.Tensor:
    return torch.cat([p.detach()[place].flatten() for p in classifier.parameters()])


@pytest.mark.parametrize(
    "options", [("keep=best",), ("patience=2",), ("keep=best", "patience=1")]
)
def test_a_cell_ends_as_it_does_alone(options):
    words = [f"schedule.{option}" for option in options]
    runs = [run_of(*RUN, *words, f"seed={seed}") for seed in (1, 2, 3)]
    dataset = runs[0].data.load()
    cpu = torch.device("cpu")
    together = train(runs, dataset, device=cpu)
    lasted = epochs_trained(runs[0].schedule, together.history)
    for place, run in enumerate(runs):
        alone = train([run], dataset, device=cpu)
        assert epochs_trained(run.schedule, alone.history) == [lasted[place]]
        torch.testing.assert_close(
            weights_of(together.classifier, place), weights_of(alone.classifier, 0)
        )
    if "patience" in words[-1]:
        assert min(lasted) < 12


def assert_goes_on(folder: Path, stop: int, *words: str) -> None:
    """A training that was interrupted after an epoch ends with the same weights."""
    run = run_of(*RUN, *words)
    dataset, cpu = run.data.load(), torch.device("cpu")
    expected = train([run], dataset, device=cpu)

    def interrupt(epoch: int, record: EpochRecord) -> None:
        if epoch == stop:
            raise KeyboardInterrupt

    checkpoint = Checkpoint(path=folder / "stack", cells=("me",))
    with pytest.raises(KeyboardInterrupt):
        train([run], dataset, device=cpu, checkpoint=checkpoint, on_epoch=interrupt)
    found = train([run], dataset, device=cpu, checkpoint=checkpoint)
    assert torch.equal(
        weights_of(found.classifier, 0), weights_of(expected.classifier, 0)
    )


@pytest.mark.parametrize("stop", [3, 9])
def test_an_interrupted_training_keeps_the_same_epoch(tmp_path, stop):
    assert_goes_on(tmp_path, stop, "schedule.keep=best")


def test_the_best_epoch_is_the_one_of_a_shorter_training():
    """The weights are those that the same training has after that epoch."""
    best = train_alone("schedule.keep=best")
    accuracies = [float(each.validation_accuracy[0]) for each in best.history]
    epoch = accuracies.index(max(accuracies)) + 1
    assert epoch < 12
    last = train_alone(f"schedule.epochs={epoch}")
    assert torch.equal(weights_of(best.classifier, 0), weights_of(last.classifier, 0))


def train_alone(*words: str):
    run = run_of(*RUN, *words)
    return train([run], run.data.load(), device=torch.device("cpu"))


def test_the_neutral_values_leave_an_identity_as_it_was():
    run = run_of(*TINY_MOONS)
    described = describe(run)
    assert not {"keep", "patience"} & set(described["schedule"])
    assert rebuild(described).schedule == run.schedule
    other = replace(run, schedule=replace(run.schedule, keep="best"))
    assert describe(other)["schedule"]["keep"] == "best"
    assert rebuild(describe(other)) == other
    assert cell(run, "data").id != cell(other, "data").id


def test_an_id_is_what_it_was_before_these_fields():
    """Found with the revision before them."""
    run, _ = read("data=moons")
    assert cell(run, "generated").id == ID_BEFORE


ID_BEFORE = "e13f6b26f28438cc"
