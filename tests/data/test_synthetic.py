import math

import pytest
import torch
from torch import Tensor

from cftrain.data.dataset import Dataset
from cftrain.data.synthetic import Moons
from cftrain.errors import DataError


def moons(**changed) -> Dataset:
    given = {
        "name": "moons",
        "training_rows": 10_000,
        "validation_rows": 2_000,
        "test_rows": 1_000,
        "generated_rows": 20_000,
        "draw_seed": 42,
        "order_seed": 2025,
        "shift": (1.0, 0.3),
        "noise": 0.1,
        "domain_deviations": 2.0,
        "domain": {},
        "mutability": {},
    }
    return Moons(**given | changed).load()


def arcs(dataset: Dataset) -> tuple[Tensor, Tensor]:
    features = dataset.features.double()
    return features[dataset.labels == 0], features[dataset.labels == 1]


def test_without_noise_the_rows_lie_on_two_half_circles():
    upper, lower = arcs(moons(noise=0.0))
    ones = torch.ones(len(upper), dtype=torch.float64)
    torch.testing.assert_close(upper.norm(dim=1), ones, rtol=0, atol=1e-5)
    assert (upper[:, 1] >= -1e-6).all()
    centred = lower - torch.tensor([1.0, 0.3])
    ones = torch.ones(len(lower), dtype=torch.float64)
    torch.testing.assert_close(centred.norm(dim=1), ones, rtol=0, atol=1e-5)
    assert (centred[:, 1] <= 1e-6).all()


def test_means_of_the_arcs_have_a_closed_form():
    """Of a half circle: (0, 2 / pi). Standard errors are below 0.01."""
    upper, lower = arcs(moons())
    assert upper.mean(0).tolist() == pytest.approx([0, 2 / math.pi], abs=0.04)
    assert lower.mean(0).tolist() == pytest.approx([1, 0.3 - 2 / math.pi], abs=0.04)


def test_angles_are_uniform():
    upper, _ = arcs(moons(noise=0.0))
    angle = torch.atan2(upper[:, 1], upper[:, 0]).sort().values / math.pi
    even = (torch.arange(len(angle)) + 0.5) / len(angle)
    assert (angle - even).abs().max() < 1.95 / math.sqrt(len(angle))


def test_noise_is_gaussian_and_the_same_in_all_directions():
    noisy, clean = moons(), moons(noise=0.0)
    assert torch.equal(noisy.labels, clean.labels)
    noise = (noisy.features - clean.features).double()
    assert noise.mean(0).abs().max() < 0.1 * 4 / math.sqrt(12_000)
    assert noise.std(0).tolist() == pytest.approx([0.1, 0.1], rel=0.03)
    assert torch.corrcoef(noise.T)[0, 1].abs() < 0.04
    within = (noise.abs() < 0.1).double().mean(0)  # one standard deviation
    assert within.tolist() == pytest.approx([0.6827] * 2, abs=0.02)


def test_classes_are_balanced_up_to_sampling():
    dataset = moons()
    share = dataset.labels.double().mean()
    assert abs(share - 0.5) < 4 * 0.5 / math.sqrt(12_000)
    assert dataset.classes == 2


def test_sizes_are_as_asked_and_test_rows_are_others():
    dataset = moons(training_rows=300, validation_rows=60, test_rows=90)
    assert dataset.features.shape == (360, 2)
    assert dataset.labels.shape == (360,)
    assert dataset.test_features.shape == (90, 2)
    assert dataset.validation_rows == 60
    pool = {tuple(row) for row in dataset.features.tolist()}
    assert len(pool) == 360
    assert not pool & {tuple(row) for row in dataset.test_features.tolist()}


def test_all_generated_rows_may_be_used():
    sizes = {"training_rows": 300, "validation_rows": 60, "test_rows": 40}
    dataset = moons(**sizes, generated_rows=400)
    every = torch.cat([dataset.features, dataset.test_features])
    assert len({tuple(row) for row in every.tolist()}) == 400


def test_more_rows_than_generated_are_refused():
    sizes = {"training_rows": 300, "validation_rows": 60, "test_rows": 41}
    with pytest.raises(DataError, match=r"expected at most 400 .*, got 401"):
        moons(**sizes, generated_rows=400)


def test_loading_is_a_function_of_the_seeds():
    torch.manual_seed(1)
    first = moons()
    torch.manual_seed(2)
    before = torch.random.get_rng_state()
    second = moons()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.features, second.features)
    assert torch.equal(first.labels, second.labels)
    assert torch.equal(first.test_features, second.test_features)
    for seed in ("draw_seed", "order_seed"):
        assert not torch.equal(first.features, moons(**{seed: 7}).features)


def test_a_smaller_pool_is_the_beginning_of_a_larger_one():
    large, small = moons(), moons(training_rows=500, validation_rows=100)
    assert torch.equal(small.features, large.features[:600])
    assert torch.equal(small.test_features, large.test_features)


def test_the_domain_comes_from_the_pool_alone():
    dataset = moons(training_rows=100, validation_rows=20)
    pool = dataset.features.double()
    low = torch.minimum(pool.mean(0) - 2 * pool.std(0), pool.amin(0))
    high = torch.maximum(pool.mean(0) + 2 * pool.std(0), pool.amax(0))
    torch.testing.assert_close(dataset.constraints.lower, low.float())
    torch.testing.assert_close(dataset.constraints.upper, high.float())
    assert dataset.constraints.all_free
    outside = (dataset.test_features < low) | (dataset.test_features > high)
    assert outside.any(), "test rows do not widen the domain"


def test_the_dataset_says_what_it_is():
    dataset = moons()
    assert (dataset.name, dataset.source) == ("moons", "generated")
    assert len(dataset.feature_names) == dataset.feature_count == 2
    assert dataset.image_shape is None
    assert dataset.features.dtype == torch.float32
