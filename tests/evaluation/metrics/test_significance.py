import torch

from cftrain.evaluation.metrics import significance
from cftrain.evaluation.metrics.significance import MmdPValue
from tests.builders import normal
from tests.evaluation.individuals import individuals, reference
from tests.evaluation.metrics.test_mmd import squared_mmd

EMPTY = normal(0, 2)


def metric(permutations: int = 99, length_scale: float | None = 1.0) -> MmdPValue:
    return MmdPValue(
        length_scale=length_scale,
        sample="target",
        least_rows=1,
        rows=30,
        permutations=permutations,
        seed=5,
    )


def test_it_is_the_share_of_divisions_that_are_as_far_apart():
    """By a plain loop over the same divisions, with scikit-learn's kernel."""
    observed, x = normal(12, 2, seed=1), 0.6 + normal(1, 8, 2, seed=2)
    made = individuals(x, torch.ones(8, dtype=torch.long))
    found = metric(50)(made, reference(EMPTY, observed))
    pooled = torch.cat([x[0], observed]).numpy()
    divisions = significance._divisions(50, 8, 20, 5)
    assert (divisions.sum(1) == 8).all()
    actual = squared_mmd(pooled[:8], pooled[8:], 1.0)
    further = [
        squared_mmd(pooled[chosen], pooled[~chosen], 1.0) >= actual
        for chosen in divisions.numpy()
    ]
    assert 0 < sum(further) < 50
    expected = (1 + sum(further)) / 51
    torch.testing.assert_close(found, torch.full_like(found, expected))


def test_it_is_uniform_for_equal_distributions():
    """300 groups: counts of ten bins, within 4 standard deviations of 30."""
    values = []
    for seed in range(15):
        x, observed = normal(1, 20 * 15, 2, seed=seed), normal(20, 2, seed=1000 + seed)
        made = individuals(x, torch.ones(15, dtype=torch.long), rounds=20)
        found = metric()(made, reference(EMPTY, observed))
        values.append(found.unflatten(1, (20, 15))[0, :, 0])
    counts = torch.histc(torch.cat(values), bins=10, min=0, max=1)
    assert counts.sum() == 300
    assert ((counts - 30).abs() < 4 * (300 * 0.1 * 0.9) ** 0.5).all()


def test_it_is_as_small_as_can_be_for_rows_far_away():
    observed, x = normal(20, 2, seed=1), 9 + normal(1, 10, 2, seed=2)
    made = individuals(x, torch.ones(10, dtype=torch.long))
    found = metric()(made, reference(EMPTY, observed))
    torch.testing.assert_close(found, torch.full_like(found, 1 / 100))


def test_it_is_one_where_all_rows_are_the_same():
    rows = torch.ones(20, 2, dtype=torch.float64)
    made = individuals(rows[:5].unsqueeze(0), torch.ones(5, dtype=torch.long))
    assert (metric()(made, reference(EMPTY, rows)) == 1).all()


def test_what_is_not_there_or_not_a_number_has_no_say():
    observed, x = normal(9, 2, seed=1), normal(1, 8, 2, seed=2)
    targets = torch.ones(4, dtype=torch.long)
    present = torch.ones(1, 8, dtype=torch.bool)
    present[0, 3] = False
    changed = x.clone()
    changed[0, 3] = 99
    found = [
        metric()(
            individuals(rows, targets, rounds=2, present=present),
            reference(EMPTY, observed),
        )
        for rows in (x, changed)
    ]
    assert torch.equal(*found)
    x[0, 5] = torch.nan
    made = individuals(x, targets, rounds=2)
    broken = metric()(made, reference(EMPTY, observed)).isnan()
    assert broken.tolist() == [[False] * 4 + [True] * 4]


def test_groups_of_one_have_no_value():
    made = individuals(normal(1, 2, 2), torch.tensor([0, 1]))
    both = reference(normal(5, 2, seed=1), normal(5, 2, seed=2))
    assert metric()(made, both).isnan().all()


def test_cells_are_measured_as_if_alone():
    observed, x = normal(9, 2, seed=1), normal(3, 8, 2, seed=2)
    targets = torch.ones(4, dtype=torch.long)
    both = reference(EMPTY, observed)
    together = metric()(individuals(x, targets, rounds=2), both)
    assert len(together.unique()) > 3
    for cell in range(3):
        alone = metric()(individuals(x[[cell]], targets, rounds=2), both)
        assert torch.equal(alone, together[[cell]])
