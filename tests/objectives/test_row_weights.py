"""Weights of rows: against torch's cross-entropy, and each cell by its own rows."""

from dataclasses import replace

import pytest
import torch

from cftrain.data.dataset import Dataset
from cftrain.errors import DataError
from cftrain.objectives.batch import Batch
from cftrain.objectives.naming import PARTS
from cftrain.training.stack import train
from tests.builders import integers, objective
from tests.console import TINY_MOONS, run_of
from tests.objectives.test_objective import (
    BEYOND,
    CLASSES,
    LOGITS,
    OBSERVED,
    STACK,
    TUPLES,
    batch,
)

COUNTS = torch.tensor([[10, 20, 30, 40], [40, 30, 20, 10]])
BY_CLASS = (0.5, 2.0, 1.0, 3.0)
NAMES = ("a", "b", "c", "d")


def torch_loss(logits, labels, weights, by_class=None) -> float:
    """The weighted mean loss of one cell's rows, from torch's loss of each row."""
    each = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    if by_class is not None:
        weights = weights * torch.tensor(by_class, dtype=weights.dtype)[labels]
    return ((weights * each).sum() / weights.sum()).item()


@pytest.mark.parametrize("by_class", [None, BY_CLASS])
def test_cross_entropies_are_those_of_torch(by_class):
    """Of observed, nascent and attacked rows, the last with the observed ones'."""
    chosen = objective(class_weights=by_class, attack_weight=0.6)
    data = batch(LOGITS, weighted=True)
    found = chosen.fitted(COUNTS, NAMES).parts(data)
    kinds = {
        "class_loss": (slice(OBSERVED), data.observed_label, data.observed_weight),
        "adversarial_loss": (
            slice(OBSERVED, OBSERVED + TUPLES),
            data.nascent_label,
            data.nascent_weight,
        ),
        "attack_loss": (
            slice(OBSERVED + 3 * TUPLES, None),
            data.observed_label,
            data.observed_weight,
        ),
    }
    for part, (places, labels, weights) in kinds.items():
        assert weights is not None
        expected = [
            torch_loss(data.logits[cell, places], labels[cell], weights[cell], by_class)
            for cell in range(STACK)
        ]
        assert found[PARTS.index(part)].tolist() == pytest.approx(expected, rel=1e-12)


def test_all_other_terms_have_none():
    cross_entropies = ("class_loss", "adversarial_loss", "attack_loss")
    plain, weighted = (
        objective(**BEYOND).parts(batch(LOGITS, weighted=weighted))
        for weighted in (False, True)
    )
    for place, part in enumerate(PARTS):
        alike = torch.equal(plain[place], weighted[place])
        assert alike == (part not in cross_entropies), part


def with_weights(weights: torch.Tensor) -> Batch:
    return replace(batch(LOGITS), observed_weight=weights.expand(STACK, OBSERVED))


def test_a_row_of_weight_three_is_three_rows_and_one_of_none_is_no_row():
    times = torch.tensor([3, 0, 1, 2, 1])
    found = objective().parts(with_weights(times.double()))[0]
    for cell in range(STACK):
        logits = LOGITS[cell, :OBSERVED].repeat_interleave(times, 0)
        labels = integers(CLASSES, STACK, OBSERVED, seed=2)[cell]
        expected = torch.nn.functional.cross_entropy(
            logits, labels.repeat_interleave(times)
        )
        torch.testing.assert_close(found[cell], expected, rtol=1e-12, atol=0)


def test_rows_that_all_count_nothing_have_no_loss():
    data = with_weights(torch.zeros(OBSERVED, dtype=torch.float64))
    assert objective().parts(data)[0].tolist() == [0, 0]


def uneven(dataset: Dataset) -> Dataset:
    """Rows on the right count more, some rows nothing."""
    weights = (dataset.features[:, 0].double() + 1).clamp(min=0)
    return replace(dataset, weights=weights)


@pytest.mark.parametrize("kind", ["full", "vanilla"])
def test_a_cell_trains_as_it_does_alone(kind):
    words = (*TINY_MOONS, f"objective={kind}")
    runs = [run_of(*words, f"seed={seed}") for seed in (1, 2)]
    dataset, cpu = runs[0].data.load(), torch.device("cpu")
    together = train(runs, uneven(dataset), device=cpu)
    for place, run in enumerate(runs):
        alone = train([run], uneven(dataset), device=cpu)
        plain = train([run], dataset, device=cpu)
        for name, weight in together.classifier.state_dict().items():
            found = alone.classifier.state_dict()[name][0]
            torch.testing.assert_close(weight[place], found)
            assert not torch.equal(found, plain.classifier.state_dict()[name][0])


def test_rows_without_weight_teach_a_plain_classifier_nothing():
    """Wherever they lie, which only the accuracies tell."""
    run, cpu = run_of(*TINY_MOONS, "objective=vanilla"), torch.device("cpu")
    data = uneven(run.data.load())
    assert data.weights is not None
    moved = data.features + 3 * (data.weights == 0).unsqueeze(1)
    one, other = (
        train([run], each, device=cpu).classifier.state_dict()
        for each in (data, replace(data, features=moved))
    )
    assert not torch.equal(moved, data.features)
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("unchecked")
def test_a_weight_for_each_row_is_needed():
    dataset = run_of(*TINY_MOONS).data.load()
    with pytest.raises(DataError, match="expected a weight for each of"):
        replace(dataset, weights=torch.ones(3))
