"""From runs to trained models, several at once."""

from dataclasses import replace

import pytest
import torch

from cftrain.data.dataset import Dataset
from cftrain.errors import StackError
from cftrain.models.stack_slicing import stack_size
from cftrain.training.run import Run
from cftrain.training.stack import Trained, fitted_runs, initial, train
from tests.console import TINY_MOONS, run_of

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    """Runs that differ in seeds and floats only."""
    run = run_of(*TINY_MOONS)
    strict = replace(run, seed=2, maturity=replace(run.maturity, threshold=0.9))
    return [run, strict, replace(run, seed=7)]


@pytest.fixture(scope="module")
def dataset(runs) -> Dataset:
    return runs[0].data.load()


def trained(runs: list[Run], dataset: Dataset) -> Trained:
    return train(runs, dataset, device=CPU)


def test_a_stack_has_a_model_and_a_history_for_each_run(runs, dataset):
    made = trained(runs, dataset)
    assert stack_size(made.classifier) == 3
    assert len(made.history) == runs[0].schedule.epochs
    assert all(len(record.loss) == 3 for record in made.history)


def test_every_run_trains_as_alone(runs, dataset):
    together = trained(runs, dataset)
    for place, run in enumerate(runs):
        alone = trained([run], dataset)
        weights = together.classifier.state_dict()
        for name, value in alone.classifier.state_dict().items():
            torch.testing.assert_close(
                value[0], weights[name][place], rtol=1e-4, atol=1e-6
            )


def test_the_first_weights_depend_on_the_seed_alone(runs, dataset):
    together = initial(runs, dataset).state_dict()
    for place, run in enumerate(runs):
        twin = replace(run, objective=replace(run.objective, divergence_weight=0.0))
        for name, value in initial([twin], dataset).state_dict().items():
            assert torch.equal(value[0], together[name][place])
    first, second, _ = together["0.weight"]
    assert not torch.equal(first, second)


def test_every_epoch_is_told_once(runs, dataset):
    told: list[int] = []
    train(runs, dataset, device=CPU, on_epoch=lambda epoch, record: told.append(epoch))
    assert told == [1, 2]


@pytest.mark.parametrize(
    "other", ["search.max_steps=5", "generator=generic", "maturity=exhausted"]
)
def test_runs_that_differ_in_more_are_no_stack(runs, dataset, other):
    with pytest.raises(StackError):
        trained([runs[0], run_of(*TINY_MOONS, other)], dataset)


def test_generators_of_a_stack_share_one_fit(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run = run_of(*TINY_MOONS, "generator=revise", "generator.space.vae.epochs=1")
    one, other = fitted_runs([run, replace(run, seed=3)], dataset)
    assert (one.seed, other.seed) == (run.seed, 3)
    held, shared = (each.generator.space.network for each in (one, other))
    assert held is not None, "nothing was fitted"
    assert held is shared
