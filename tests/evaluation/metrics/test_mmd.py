import math

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel

from cftrain.evaluation import discrepancy
from cftrain.evaluation.discrepancy import gaussian
from cftrain.evaluation.metrics.mmd import MmdImplausibility
from tests.builders import normal
from tests.evaluation.individuals import individuals, reference

EMPTY = normal(0, 2)


def metric(
    length_scale: float | None = 5.0,
    rows: int = 100,
    *,
    sample: str = "target",
    least_rows: int = 1,
    clamp: bool = False,
) -> MmdImplausibility:
    return MmdImplausibility(
        length_scale=length_scale,
        sample=sample,
        least_rows=least_rows,
        rows=rows,
        clamp=clamp,
    )


def squared_mmd(x: np.ndarray, y: np.ndarray, length_scale: float) -> float:
    """Unbiased estimate (Gretton et al., 2012, Eq. 3), with scikit-learn's kernel."""
    gamma = 1 / (2 * length_scale**2)
    m, n = len(x), len(y)
    within_x, within_y = (rbf_kernel(rows, gamma=gamma) for rows in (x, y))
    return (
        (within_x.sum() - m) / (m * (m - 1))
        + (within_y.sum() - n) / (n * (n - 1))
        - 2 * rbf_kernel(x, y, gamma=gamma).mean()
    )


@pytest.mark.parametrize("length_scale", [0.5, 5.0])
def test_every_sample_is_the_estimate_of_another_implementation(length_scale):
    classes = [normal(rows, 3, seed=rows) for rows in (9, 40, 2)]
    pair_target = torch.tensor([0, 1, 2, 1, 0, 1, 2, 1])
    x = 1 + 2 * normal(2, 32, 3, seed=5)
    found = metric(length_scale)(
        individuals(x, pair_target, rounds=4), reference(*classes)
    )
    by_round = x.unflatten(1, (4, 8))
    for cell in range(2):
        for number in range(4):
            for label, observed in enumerate(classes):
                sample = by_round[cell, number, pair_target == label]
                expected = squared_mmd(sample.numpy(), observed.numpy(), length_scale)
                values = found.unflatten(1, (4, 8))[cell, number, pair_target == label]
                for value in values.tolist():
                    assert math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-12)


def test_only_the_first_rows_of_sample_and_reference_enter():
    observed, x = normal(50, 2, seed=1), normal(1, 30, 2, seed=2)
    targets = torch.ones(30, dtype=torch.long)
    found = metric(rows=20)(individuals(x, targets), reference(EMPTY, observed))
    expected = squared_mmd(x[0, :20].numpy(), observed[:20].numpy(), 5.0)
    torch.testing.assert_close(found, torch.full_like(found, expected))


def test_points_far_apart_and_points_at_one_place_have_closed_forms():
    here = torch.zeros(5, 2, dtype=torch.float64)
    targets = torch.ones(5, dtype=torch.long)
    for distance, expected in ((1e4, 2.0), (0.0, 0.0)):
        x = here.unsqueeze(0) + distance
        found = metric()(individuals(x, targets), reference(EMPTY, here))
        torch.testing.assert_close(found, torch.full_like(found, expected))


def test_two_points_each_by_hand():
    observed = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    x = torch.tensor([[[3.0], [5.0]]], dtype=torch.float64)
    made = individuals(x, torch.tensor([1, 1]))
    found = metric(2.0)(made, reference(observed[:0], observed))
    kernel = [math.exp(-(gap**2) / 8) for gap in (2, 1, 3, 5, 2, 4)]
    expected = kernel[0] + kernel[1] - 2 * sum(kernel[2:]) / 4
    torch.testing.assert_close(found, torch.full_like(found, expected))


def drawn(references: int = 150, rounds: int = 20, clamp: bool = False) -> torch.Tensor:
    """Means of many small samples from the distribution of their references."""
    targets = torch.ones(5, dtype=torch.long)
    values = []
    for seed in range(references):
        observed = normal(10, 2, seed=seed)
        x = normal(1, 5 * rounds, 2, seed=10_000 + seed)
        made = individuals(x, targets, rounds=rounds)
        values.append(metric(1.0, clamp=clamp)(made, reference(EMPTY, observed)).mean())
    return torch.stack(values)


def test_the_expectation_is_zero_for_equal_distributions():
    means = drawn()
    error = means.std() / math.sqrt(len(means))
    assert error < 0.01
    assert means.mean().abs() < 3.5 * error


def test_clamping_lifts_every_value_to_zero_and_so_the_mean():
    plain, clamped = drawn(20), drawn(20, clamp=True)
    assert (clamped > plain).all()
    x, observed = normal(1, 400, 2, seed=1), normal(10, 2, seed=2)
    made = individuals(x, torch.ones(4, dtype=torch.long), rounds=100)
    values = [
        metric(1.0, clamp=clamp)(made, reference(EMPTY, observed))
        for clamp in (False, True)
    ]
    assert (values[0] < 0).any()
    torch.testing.assert_close(values[1], values[0].clamp(min=0))


def test_samples_of_one_and_classes_of_one_have_no_value():
    classes = [normal(5, 2, seed=1), normal(1, 2, seed=2), normal(5, 2, seed=3)]
    pair_target = torch.tensor([0, 1, 1, 2, 2])
    x = normal(1, 10, 2, seed=4)
    found = metric()(individuals(x, pair_target, rounds=2), reference(*classes))
    absent = [True, True, True, False, False]
    assert found.isnan().tolist() == [absent * 2]


def test_samples_of_other_rounds_cells_and_classes_change_nothing():
    classes = [normal(8, 2, seed=1), normal(8, 2, seed=2)]
    pair_target = torch.tensor([0, 1, 0, 1])
    x = normal(2, 8, 2, seed=3)
    plain = metric()(individuals(x, pair_target, rounds=2), reference(*classes))
    other = x.clone()
    other[1] += 1
    other[0, 4:] += 1
    other[0, [1, 3]] += 1
    changed = metric()(individuals(other, pair_target, rounds=2), reference(*classes))
    torch.testing.assert_close(changed[0, [0, 2]], plain[0, [0, 2]])
    assert (changed[1] != plain[1]).all()
    assert (changed[0, [1, 3]] != plain[0, [1, 3]]).all()


def test_individuals_that_are_not_there_do_not_count():
    observed, x = normal(9, 2, seed=1), normal(1, 4, 2, seed=2)
    present = torch.tensor([[True, True, True, False]])
    targets = torch.ones(4, dtype=torch.long)
    made = individuals(x, targets, present=present)
    found = metric()(made, reference(EMPTY, observed))
    expected = squared_mmd(x[0, :3].numpy(), observed.numpy(), 5.0)
    torch.testing.assert_close(found[0, 0].item(), expected)


def test_without_a_length_scale_it_is_the_median_distance():
    observed, x = normal(30, 2, seed=1), 3 * normal(1, 12, 2, seed=2)
    made = individuals(x, torch.ones(12, dtype=torch.long))
    found = metric(None, rows=20)(made, reference(EMPTY, observed))
    median = torch.pdist(observed[:20]).quantile(0.5).item()
    expected = squared_mmd(x[0].numpy(), observed[:20].numpy(), median)
    torch.testing.assert_close(found, torch.full_like(found, expected))


def test_observed_rows_at_one_place_have_no_median_distance():
    observed, x = torch.ones(9, 2, dtype=torch.float64), normal(1, 4, 2)
    made = individuals(x, torch.ones(4, dtype=torch.long))
    assert metric(None)(made, reference(EMPTY, observed)).isnan().all()


def test_a_sample_is_of_one_target_or_of_one_target_and_factual_class():
    classes = [normal(20, 2, seed=seed) for seed in range(3)]
    target, factual = torch.tensor([0, 0, 0, 0, 1, 1]), torch.tensor([1, 1, 2, 2, 0, 0])
    x = normal(2, 12, 2, seed=5)
    made = individuals(x, target, rounds=2, pair_factual=factual)
    for sample, parts in (("target", [[0, 1, 2, 3]]), ("pair", [[0, 1], [2, 3]])):
        found = metric(sample=sample)(made, reference(*classes)).unflatten(1, (2, 6))
        for members in [*parts, [4, 5]]:
            observed = classes[int(target[members[0]])].numpy()
            for number in range(2):
                rows = x.unflatten(1, (2, 6))[1, number, members].numpy()
                expected = squared_mmd(rows, observed, 5.0)
                for value in found[1, number, members].tolist():
                    assert math.isclose(value, expected, rel_tol=1e-9)


def test_rounds_are_merged_until_a_sample_has_its_least_rows():
    observed, x = normal(20, 2, seed=1), normal(1, 10, 2, seed=2)
    present = torch.ones(1, 10, dtype=torch.bool)
    present[0, 3] = False
    made = individuals(x, torch.tensor([1, 1]), rounds=5, present=present)
    found = metric(least_rows=4)(made, reference(EMPTY, observed))[0]
    for rows in (range(6), range(6, 10)):
        there = [row for row in rows if present[0, row]]
        expected = squared_mmd(x[0, there].numpy(), observed.numpy(), 5.0)
        torch.testing.assert_close(
            found[list(rows)], torch.full_like(found[list(rows)], expected)
        )
    for least_rows in (6, 99):
        whole = metric(least_rows=least_rows)(made, reference(EMPTY, observed))
        assert len(whole.unique()) == 1


def test_cells_are_measured_as_if_alone():
    classes = [normal(8, 2, seed=1), normal(8, 2, seed=2)]
    target, x = torch.tensor([0, 1, 0, 1]), normal(3, 12, 2, seed=3)
    together = metric()(individuals(x, target, rounds=3), reference(*classes))
    for cell in range(3):
        one = individuals(x[[cell]], target, rounds=3)
        alone = metric()(one, reference(*classes))
        torch.testing.assert_close(together[[cell]], alone, rtol=1e-12, atol=1e-15)


def test_observed_rows_are_compared_with_themselves_once(monkeypatch):
    count = []

    def counted(*arguments):
        count.append(arguments)
        return gaussian(*arguments)

    monkeypatch.setattr(discrepancy, "gaussian", counted)
    both = reference(normal(8, 2, seed=1), normal(8, 2, seed=2))
    made = individuals(normal(3, 40, 2), torch.tensor([0, 1, 0, 1]), rounds=10)
    for _ in range(4):
        metric()(made, both)
    assert len(count) == 2
