"""Averaged weights: what they are a mean of, and that nothing else changes by them."""

import pytest
import torch

from cftrain.config.identity import describe
from cftrain.training.averaging import Average
from cftrain.training.stack import Trained, train
from tests.builders import normal
from tests.console import run_of
from tests.training.test_keeping import RUN, assert_goes_on, weights_of

CPU = torch.device("cpu")
AVERAGED = ("objective.averaging_epochs=3",)


def averaged(weights: torch.Tensor, span: float = 10.0) -> Average:
    return Average(weights, span=span)


def trained(*words: str) -> Trained:
    run = run_of(*RUN, *words)
    return train([run], run.data.load(), device=CPU)


def test_an_average_is_the_weighted_sum_of_its_steps():
    path = normal(7, 1, 3, seed=1)
    live = torch.zeros(1, 3, dtype=torch.float64)
    average = averaged(live)
    for n, weights in enumerate(path, 1):
        live.copy_(weights)
        average.note(torch.tensor([True]))
        share = torch.tensor(
            [0.9 ** (n - i) for i in range(1, n + 1)], dtype=torch.float64
        )
        expected = (share.view(-1, 1, 1) * path[:n]).sum(0) / share.sum()
        torch.testing.assert_close(average.weights, expected, rtol=1e-12, atol=0)


def test_the_first_step_stands_alone():
    """The initial weights do not count, however long the average is."""
    live = torch.full((1, 2), 5.0, dtype=torch.float64)
    average = averaged(live, span=1000.0)
    live.fill_(7)
    average.note(torch.tensor([True]))
    torch.testing.assert_close(average.weights, live, rtol=1e-14, atol=0)


def test_a_cell_counts_the_steps_that_it_made():
    """A step left out is as if it had never been, beside a cell that goes on."""
    live = torch.zeros(2, 1, dtype=torch.float64)
    average, alone = averaged(live), averaged(torch.zeros(1, 1, dtype=torch.float64))
    for value, made in [(1.0, True), (9.0, False), (3.0, True)]:
        live.fill_(value)
        average.note(torch.tensor([True, made]))
        if made:
            alone._live.fill_(value)
            alone.note(torch.tensor([True]))
    assert torch.equal(average.weights[1:], alone.weights)
    assert not torch.equal(average.weights[0], average.weights[1])


def test_a_cell_without_any_step_keeps_its_weights():
    live = torch.full((1, 2), 5.0)
    average = averaged(live)
    average.note(torch.tensor([False]))
    assert average.weights.tolist() == [[5, 5]]


def test_averages_over_less_than_a_step_are_the_last_weights():
    found, expected = trained("objective.averaging_epochs=0.0001"), trained()
    torch.testing.assert_close(
        weights_of(found.classifier, 0), weights_of(expected.classifier, 0)
    )


def test_what_learns_is_not_touched_by_its_average():
    """Losses and searches are those of the training without it; accuracies not."""
    found, expected = trained(*AVERAGED).history, trained().history
    for mine, other in zip(found, expected, strict=True):
        assert torch.equal(mine.loss, other.loss)
        assert torch.equal(mine.search_steps, other.search_steps)
    assert any(
        mine.validation_accuracy != other.validation_accuracy
        for mine, other in zip(found, expected, strict=True)
    )


def test_a_cell_ends_as_it_does_alone():
    """One of them without an average."""
    spans = {1: 3, 2: 0, 3: 0.5}
    runs = [
        run_of(*RUN, f"seed={seed}", f"objective.averaging_epochs={span}")
        for seed, span in spans.items()
    ]
    dataset = runs[0].data.load()
    together = train(runs, dataset, device=CPU)
    for place, run in enumerate(runs):
        alone = train([run], dataset, device=CPU)
        torch.testing.assert_close(
            weights_of(together.classifier, place), weights_of(alone.classifier, 0)
        )


@pytest.mark.parametrize("keep", ["last", "best"])
def test_an_interrupted_training_ends_with_the_same_average(tmp_path, keep):
    assert_goes_on(tmp_path, 5, *AVERAGED, f"schedule.keep={keep}")


def test_validation_judges_what_is_kept():
    """The best epoch of an average is the last one of a shorter training."""
    best = trained(*AVERAGED, "schedule.keep=best")
    accuracies = [float(each.validation_accuracy[0]) for each in best.history]
    epoch = accuracies.index(max(accuracies)) + 1
    last = trained(*AVERAGED, f"schedule.epochs={epoch}")
    assert torch.equal(weights_of(best.classifier, 0), weights_of(last.classifier, 0))


def test_no_average_is_no_part_of_an_identity():
    assert "averaging_epochs" not in describe(run_of(*RUN))["objective"]
    assert describe(run_of(*RUN, *AVERAGED))["objective"]["averaging_epochs"] == 3
