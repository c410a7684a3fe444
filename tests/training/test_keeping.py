"""Which weights stay, and when a cell stops: by hand, and alone as in company."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cftrain.config.identity import describe
from cftrain.grid.cells import cell
from cftrain.summary.statistics.kept import kept_epoch
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.history import COLUMNS, EpochRecord
from cftrain.training.keeping import Keeper, epochs_trained, standard_error
from cftrain.training.run import rebuild
from cftrain.training.stack import train
from tests.builders import schedule
from tests.console import TINY_MOONS, read, run_of

VALIDATION_ROWS = 16

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
    keeper = Keeper(plan, weights, validation_rows=VALIDATION_ROWS)
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
        # Without any other epoch those of the burn-in count.
        ({"keep": "best", "burn_in": 1.0}, (2, 6)),
        # (0.9 * 16 + 2) / 20 = 0.82: the standard error is 0.086, so 0.814 will do.
        ({"keep": "one_standard_error"}, (2, 6)),
        ({"keep": "one_standard_error", "patience": 2}, (2, 4)),
        # (0.75 * 16 + 2) / 20 = 0.7: 0.102, so 0.648 will do.
        ({"keep": "one_standard_error", "burn_in": 0.5}, (6, 6)),
        ({"keep": "one_standard_error", "burn_in": 1.0}, (2, 6)),
    ],
)
def test_one_cell(options, expected):
    assert kept([0.5, 0.9, 0.8, 0.7, 0.7, 0.75], **options) == expected


def test_the_last_epoch_within_one_standard_error_of_the_best():
    """0.9 of 16: 0.814 will do; all of 16: (16 + 2) / 20 = 0.9, 0.067, 0.933."""
    assert kept([0.5, 0.9, 0.82, 0.815, 0.81], keep="one_standard_error") == (4, 5)
    assert kept([0.9, 1.0, 15 / 16, 0.93, 0.9], keep="one_standard_error") == (3, 5)
    # An epoch that was near the best so far and is not near the best of all.
    assert kept([0.8, 0.79, 0.99, 0.7], keep="one_standard_error") == (3, 4)


def test_the_standard_error_is_that_of_agresti_and_coull():
    """By hand: of 96 rows 100 are counted, two more of each kind."""
    share = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    found = standard_error(share, 96)
    expected = [(0.02 * 0.98 / 100) ** 0.5, 0.05, (0.02 * 0.98 / 100) ** 0.5]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


@given(
    right=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    keep=st.sampled_from(["last", "best", "one_standard_error"]),
    burn_in=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_the_history_tells_which_epoch_was_kept(right, keep, burn_in):
    """What is told after the training is what was kept during it."""
    accuracies = [each / 40 for each in right]
    plan = schedule(epochs=len(right), keep=keep, burn_in=burn_in)
    weights = torch.zeros(1, 1)
    keeper = Keeper(plan, weights, validation_rows=40)
    for epoch, accuracy in enumerate(accuracies, 1):
        weights.fill_(epoch)
        keeper.note(record(accuracy))
    keeper.finish()
    assert weights.item() == kept_epoch(
        accuracies, keep=keep, ignored=plan.ignored_epochs, validation_rows=40
    )


def test_of_equal_epochs_the_first_one_is_kept():
    assert kept([0.5, 0.9, 0.9], keep="best") == (2, 3)


def test_each_cell_has_its_own_epoch():
    plan = schedule(epochs=3, keep="best")
    weights = torch.zeros(2, 1)
    keeper = Keeper(plan, weights, validation_rows=VALIDATION_ROWS)
    for epoch, accuracies in enumerate([(0.9, 0.1), (0.5, 0.2), (0.7, 0.3)], 1):
        weights.fill_(epoch)
        keeper.note(record(*accuracies))
    keeper.finish()
    assert weights[:, 0].tolist() == [1, 3]


def weights_of(classifier: torch.nn.Module, place: int) -> torch.Tensor:
    return torch.cat([p.detach()[place].flatten() for p in classifier.parameters()])


@pytest.mark.parametrize(
    "options",
    [
        ("keep=best",),
        ("keep=one_standard_error",),
        ("patience=2",),
        ("keep=best", "patience=1"),
    ],
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


@pytest.mark.parametrize("keep", ["best", "one_standard_error"])
@pytest.mark.parametrize("stop", [3, 9])
def test_an_interrupted_training_keeps_the_same_epoch(tmp_path, stop, keep):
    assert_goes_on(tmp_path, stop, f"schedule.keep={keep}")


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
