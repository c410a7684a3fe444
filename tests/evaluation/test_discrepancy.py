import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import rbf_kernel

from cftrain.evaluation.discrepancy import (
    gaussian,
    median,
    merged_rounds,
    observed_rows,
)
from cftrain.evaluation.reference import ReferenceClass
from tests.builders import normal


@pytest.mark.parametrize("length_scale", [0.5, 5.0])
def test_the_kernel_is_that_of_another_implementation(length_scale):
    x, y = normal(6, 3, seed=1), 2 + normal(4, 3, seed=2)
    expected = rbf_kernel(x, y, gamma=1 / (2 * length_scale**2))
    found = gaussian(x, y, length_scale)
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=1e-12, atol=0)


def test_samples_have_kernels_of_their_own():
    x, y = normal(5, 6, 3, seed=1), normal(4, 3, seed=2)
    for left, right in ((x, y), (x, x)):
        found = gaussian(left, right, 2.0)
        for sample in range(5):
            other = right if right is y else x[sample]
            torch.testing.assert_close(found[sample], gaussian(x[sample], other, 2.0))


def test_the_kernel_is_never_above_one():
    x = 1e3 + normal(50, 20, seed=1)
    found = gaussian(x, x, 0.5)
    assert found.max() <= 1
    torch.testing.assert_close(found.diagonal(), torch.ones_like(found.diagonal()))


@given(st.integers(1, 120), st.integers(1, 30), st.integers(1, 90))
def test_samples_are_as_many_and_as_even_as_their_least_rows_allow(
    rounds, members, least_rows
):
    merged = merged_rounds(rounds, members, least_rows)
    assert merged.shape == (rounds,)
    assert (merged.diff() >= 0).all()
    sizes = merged.bincount()
    assert (sizes > 0).all()
    assert sizes.max() - sizes.min() <= 1
    if len(sizes) > 1:
        assert sizes.min() * members >= least_rows
    # One sample more would leave some sample with too few rows.
    assert rounds // (len(sizes) + 1) * members < least_rows or len(sizes) == rounds


def test_the_length_scale_is_the_median_distance_of_the_first_rows():
    rows = normal(40, 3, seed=1)
    observed = observed_rows(ReferenceClass(rows), 15, None)
    assert torch.equal(observed.rows, rows[:15])
    expected = torch.from_numpy(pdist(rows[:15])).quantile(0.5)
    assert observed.length_scale == pytest.approx(expected.item())
    assert observed_rows(ReferenceClass(rows), 15, 0.7).length_scale == 0.7


@given(st.integers(1, 400), st.integers(0, 1000))
def test_the_median_is_the_quantile_bit_for_bit(count, seed):
    values = normal(count, seed=seed)
    assert median(values) == values.quantile(0.5).item()


def test_the_length_scale_of_many_rows():
    """torch.quantile refuses the distances of 6,000 rows."""
    rows = normal(6000, 2, seed=1)
    expected = np.median(pdist(rows))
    found = observed_rows(ReferenceClass(rows), 6000, None).length_scale
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_mean_within_a_class_is_that_of_all_pairs():
    observed = observed_rows(ReferenceClass(normal(8, 2)), 100, 1.5)
    kernel = [
        gaussian(observed.rows[[i]], observed.rows[[j]], 1.5).item()
        for i in range(8)
        for j in range(8)
        if i != j
    ]
    assert observed.within == pytest.approx(sum(kernel) / len(kernel))
