import pytest
import torch
from scipy.spatial.distance import cdist

from cftrain.evaluation.metrics.unfaithfulness import Unfaithfulness
from cftrain.models.stack_slicing import frozen
from tests.builders import constraints, free, linear, mlp, normal
from tests.evaluation.individuals import individuals, reference

TARGET = torch.tensor([0, 1, 2, 1])
OBSERVED = reference(*(normal(6, 4, seed=seed) for seed in range(3)))
BOX = constraints(["free"] * 4, -2.0, 2.0)


def metric(noise: float = 0.1, steps: int = 20, seed: int = 1) -> Unfaithfulness:
    return Unfaithfulness(
        samples=15, steps=steps, step_size=0.2, noise=noise, seed=seed
    )


def test_without_noise_a_linear_model_has_samples_in_the_corners_of_its_box():
    """The energy of a class falls along its weights, as far as the domain allows."""
    weight = normal(2, 3, 4, seed=3)
    weight = weight.sign() * (1 + weight.abs())
    classifier = linear(weight, normal(2, 3, seed=4))
    x = normal(2, 8, 4, seed=5)
    made = individuals(x, TARGET, rounds=2, classifier=classifier, constraints=BOX)
    found = metric(noise=0.0, steps=100)(made, OBSERVED)
    for cell in range(2):
        corners = 2 * weight[cell].sign()[TARGET.repeat(2)]
        expected = (x[cell] - corners).abs().sum(-1)
        torch.testing.assert_close(found[cell], expected)


def test_a_step_is_half_the_step_size_against_the_energy():
    """Without a box: the samples of a linear model move by the same in every step."""
    weight = normal(1, 3, 4, seed=3)
    classifier = linear(weight, torch.zeros(1, 3, dtype=torch.float64))
    made = individuals(
        1e3 * torch.ones(1, 4, 4, dtype=torch.float64),
        TARGET,
        classifier=classifier,
        constraints=free(),
    )
    start, later = (
        metric(noise=0.0, steps=steps)(made, OBSERVED)[0] for steps in (1, 11)
    )
    gained = 10 * 0.1 * weight[0].sum(-1)
    torch.testing.assert_close(start - later, gained[TARGET])


def test_samples_are_of_the_target_class_and_spread_by_the_noise():
    classifier, x = mlp(1, scale=3.0), torch.zeros(1, 4, 4, dtype=torch.float64)
    made = individuals(x, TARGET, classifier=classifier, constraints=BOX)
    found = metric()(made, OBSERVED)
    assert found[0, 1] == found[0, 3]
    assert len(found.unique()) == 3
    assert not torch.equal(found, metric(noise=0.5)(made, OBSERVED))
    assert not torch.equal(found, metric(seed=2)(made, OBSERVED))
    assert torch.equal(found, metric()(made, OBSERVED))


def test_the_distance_is_the_mean_over_all_samples():
    classifier, x = mlp(1), normal(1, 4, 4)
    made = individuals(x, TARGET, classifier=classifier, constraints=BOX)
    found = metric()(made, OBSERVED)
    for row, label in enumerate(TARGET.tolist()):
        samples = metric()._sample(label, classifier, OBSERVED, BOX)[0]
        assert samples.abs().max() <= 2
        expected = float(cdist(x[0, row : row + 1], samples, "cityblock").mean())
        assert found[0, row].item() == pytest.approx(expected)


def test_cells_are_measured_as_if_alone():
    classifier, x = mlp(3, scale=2.0), normal(3, 4, 4)
    made = individuals(x, TARGET, classifier=classifier, constraints=BOX)
    together = metric()(made, OBSERVED)
    for cell in range(3):
        alone = individuals(
            x[[cell]],
            TARGET,
            classifier=frozen(classifier, [cell]),
            constraints=BOX,
        )
        torch.testing.assert_close(metric()(alone, OBSERVED), together[[cell]])
