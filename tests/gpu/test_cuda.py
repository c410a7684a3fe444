"""CUDA gives what the CPU gives, but for rounding: everything here is float64.

Draws come from CPU generators on every device, so they are the same.
"""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.data.dataset import Dataset
from cftrain.evaluation.evaluate import Evaluation, evaluate
from cftrain.evaluation.gallery import Exhibit, exhibits
from cftrain.evaluation.protocol import Attributions, Protocol
from cftrain.models.stack_slicing import frozen
from cftrain.training.history import COLUMNS
from cftrain.training.stack import Trained, train
from tests import builders
from tests.console import read, run_of

pytestmark = pytest.mark.gpu

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
CELLS = 2
TRAINING = (
    "schedule.epochs=3",
    "schedule.batch_rows=20",
    "schedule.counterfactuals=30",
    "search.max_steps=8",
)


def assert_close(found: Tensor, expected: Tensor, name: str = "") -> None:
    torch.testing.assert_close(
        found.cpu(), expected, rtol=1e-7, atol=1e-9, equal_nan=True, msg=name or None
    )


def searched(device: torch.device, *overrides: str) -> SearchResult:
    """Counterfactuals with an increase-only feature, a box and a one-hot group."""
    factual = builders.normal(CELLS, 40, builders.FEATURES, seed=1)
    factual[..., 2:] = torch.tensor([1.0, 0.0], dtype=factual.dtype)
    target = builders.integers(builders.CLASSES, CELLS, 40, seed=2)
    limits = builders.constraints(
        ["increase", "free", "free", "free"], -2, 2, groups=((2, 3),)
    )
    search = run_of("search.max_steps=25", *overrides).counterfactual_search()
    return search(
        builders.mlp(CELLS, scale=2.0).to(device),
        factual.to(device),
        target.to(device),
        constraints=limits.to(dtype=factual.dtype, device=device),
        streams=builders.streams(CELLS),
    )


@pytest.mark.parametrize("generator", ["generic", "ecco"])
@pytest.mark.parametrize("categories", ["free", "relaxed", "snap"])
def test_a_search_finds_the_same(generator, categories):
    overrides = (f"generator={generator}", f"categories={categories}")
    found, expected = searched(CUDA, *overrides), searched(CPU, *overrides)
    assert found.counterfactual.device.type == CUDA.type
    for name in ("mature", "finite", "steps"):
        assert torch.equal(getattr(found, name).cpu(), getattr(expected, name)), name
    assert expected.steps.max() > 1
    assert_close(found.counterfactual, expected.counterfactual)
    assert_close(found.nascent, expected.nascent)


def trained(device: torch.device) -> Trained:
    """A counterfactual model and a baseline in one stack."""
    run, options = read(*TRAINING)
    assert options.compare is not None
    runs = [run, replace(run, seed=1, objective=options.compare)]
    return train(runs, builders.blobs().to(device), device=device)


def test_training_ends_at_the_same_weights():
    found, expected = trained(CUDA), trained(CPU)
    weights = expected.classifier.state_dict()
    assert found.classifier.state_dict().keys() == weights.keys()
    for name, value in found.classifier.state_dict().items():
        assert value.device.type == CUDA.type
        assert_close(value, weights[name], name)


def test_training_tells_the_same_history():
    found, expected = trained(CUDA).history, trained(CPU).history
    assert len(found) == len(expected) == 3
    for left, right in zip(found, expected, strict=True):
        for name in set(COLUMNS) - {"seconds"}:
            assert_close(getattr(left, name), getattr(right, name), name)


def protocol() -> Protocol:
    """Every metric there is, on few individuals."""
    _, options = read(
        "evaluation=full",
        "evaluation.rounds=2",
        "evaluation.individuals=40",
        "evaluation.energy_weights=[0.5,5.0]",
        "evaluation.search.max_steps=15",
        "evaluation.maturity.threshold=0.6",
    )
    return replace(options.evaluation, attributions=Attributions(steps=5, seed=1))


def evaluated(device: torch.device) -> Evaluation:
    classifier = builders.mlp(CELLS, scale=2.0).to(device)
    protected = builders.constraints(["none", "free", "free", "free"], -9, 9)
    return evaluate(
        frozen(classifier, slice(None)),
        builders.blobs(limits=protected).to(device),
        protocol(),
        streams=builders.streams(CELLS),
    )


def test_an_evaluation_measures_the_same():
    found, expected = evaluated(CUDA), evaluated(CPU)
    assert {m.metric for m in expected.measurements} == set(protocol().metrics)
    for left, right in zip(found.measurements, expected.measurements, strict=True):
        assert replace(left, value=0.0) == replace(right, value=0.0)
        assert left.value == pytest.approx(right.value, 1e-6, 1e-9, True), left.metric
    assert found.attributions is not None
    assert expected.attributions is not None
    assert_close(found.attributions, expected.attributions)


def test_individuals_are_explained_the_same():
    found, expected = evaluated(CUDA).explained, evaluated(CPU).explained
    assert len(expected) > 0
    for left, right in zip(found, expected, strict=True):
        for name in ("factual", "target", "draws", "valid"):
            assert torch.equal(getattr(left, name).cpu(), getattr(right, name)), name
        assert_close(left.value, right.value, left.metric)


def shown(device: torch.device) -> list[Exhibit]:
    _, options = read("evaluation=images")
    gallery = options.evaluation.gallery
    assert gallery is not None
    dataset = builders.blobs()
    linear = builders.linear(*nearest_centres(dataset)).to(device)
    return exhibits(frozen(linear, slice(None)), dataset.to(device), gallery)


def nearest_centres(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Weights and biases of two classifiers that predict most rows correctly."""
    rows, labels = dataset.features, dataset.labels
    centres = torch.stack([rows[labels == k].mean(0) for k in range(dataset.classes)])
    weight = torch.stack([centres, 2 * centres])
    return weight, -0.5 * torch.stack([(centres**2).sum(1), 2 * (centres**2).sum(1)])


def test_a_gallery_shows_the_same():
    found, expected = shown(CUDA), shown(CPU)
    assert len(found) == len(expected) > 0
    for left, right in zip(found, expected, strict=True):
        for name, value in vars(right).items():
            approximate = isinstance(value, float | list)
            assert getattr(left, name) == (
                pytest.approx(value, 1e-6, 1e-9) if approximate else value
            ), name
