"""The generated benchmark sets as `conf/data` gives them, and their recipes."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cftrain.data.constraints import inferred_domain
from cftrain.data.dataset import Dataset
from cftrain.data.generated import Generated
from cftrain.data.synthetic import Blobs, Circles
from cftrain.errors import ConfigError, DataError
from tests.console import run_of

CENTRES = torch.tensor([[2.586902, -0.451857], [-0.993221, 4.062597]])


def spec(name: str) -> Generated:
    """The specification in `conf/data`."""
    generated = run_of(f"data={name}").data
    assert isinstance(generated, Generated)
    return generated


def of_class(dataset: Dataset, label: int) -> Tensor:
    return dataset.features[dataset.labels == label]


SETS = ["linearly_separable", "overlapping", "circles", "moons"]


@pytest.mark.parametrize("name", SETS)
def test_sizes_are_those_of_the_paper(name):
    dataset = spec(name).load()
    assert dataset.name == name
    assert dataset.source == "generated"
    assert dataset.features.shape == (3600, 2)
    assert dataset.test_features.shape == (900, 2)
    assert dataset.validation_rows == 600
    for labels in (dataset.labels, dataset.test_labels):
        assert labels.double().mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", SETS)
def test_pool_and_test_rows_are_disjoint_parts_of_one_draw(name):
    dataset = spec(name).load()
    rows = torch.cat([dataset.features, dataset.test_features])
    assert len(rows.unique(dim=0)) == 4500
    fewer = replace(spec(name), training_rows=300).load()
    assert torch.equal(fewer.features, dataset.features[:900])
    assert torch.equal(fewer.test_features, dataset.test_features)


@pytest.mark.parametrize("name", SETS)
def test_the_domain_is_two_deviations_wide_and_at_least_the_range(name):
    dataset = spec(name).load()
    lower, upper = inferred_domain(dataset.features, 2.0)
    assert torch.equal(dataset.constraints.lower, lower)
    assert torch.equal(dataset.constraints.upper, upper)
    assert (dataset.features >= lower).all()
    assert (dataset.features <= upper).all()
    assert dataset.constraints.all_free


@pytest.mark.parametrize("name", SETS)
def test_features_are_in_raw_units(name):
    dataset = spec(name).load()
    raw = dataset.units.decode(dataset.features)
    assert list(raw) == ["x1", "x2"]
    assert torch.allclose(dataset.units.encode(raw), dataset.features, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "deviation"), [("linearly_separable", 0.5), ("overlapping", 2.0)]
)
def test_blobs_have_their_centres_and_deviation(name, deviation):
    dataset = spec(name).load()
    for label in (0, 1):
        rows = of_class(dataset, label)
        error = 4 * deviation / math.sqrt(len(rows))
        assert torch.allclose(rows.mean(0), CENTRES[label], atol=error)
        assert torch.allclose(rows.std(0), torch.full((2,), deviation), atol=error)


@pytest.mark.parametrize(
    ("name", "accuracy"), [("linearly_separable", 1.0), ("overlapping", 0.925)]
)
def test_the_best_classifier_is_as_good_as_theory_says(name, accuracy):
    """The nearer centre decides; accuracy Phi(distance / (2 deviation))."""
    dataset = spec(name).load()
    rows = torch.cat([dataset.features, dataset.test_features])
    labels = torch.cat([dataset.labels, dataset.test_labels])
    nearer = torch.cdist(rows, CENTRES).argmin(1)
    found = (nearer == labels).double().mean()
    assert found == pytest.approx(accuracy, abs=3 * math.sqrt(0.07 / len(rows)))


def test_centres_are_as_far_apart_as_in_the_paper():
    centres = torch.tensor(spec("linearly_separable").centres)
    apart = centres[0] - centres[1]
    assert apart.norm() == pytest.approx(5.762, abs=1e-3)
    assert apart.abs().sum() == pytest.approx(8.095, abs=1e-3)
    assert spec("overlapping").centres == spec("linearly_separable").centres


def test_circles_have_their_radii_and_noise():
    dataset = spec("circles").load()
    inner, outer = of_class(dataset, 0), of_class(dataset, 1)
    assert inner.std(0).tolist() == pytest.approx([0.15, 0.15], abs=0.02)
    assert inner.mean(0).tolist() == pytest.approx([0, 0], abs=0.02)
    # E |u + noise|^2 = radius^2 + 2 noise^2
    square = outer.pow(2).sum(1).mean()
    assert square == pytest.approx(1 + 2 * 0.15**2, abs=0.04)
    clean = replace(spec("circles"), noise=0.0).load()
    assert of_class(clean, 0).norm(dim=1).tolist() == pytest.approx(
        [0.01] * 1800, abs=1e-6
    )
    ring = of_class(clean, 1)
    assert torch.allclose(ring.norm(dim=1), torch.ones(len(ring)))
    angle = (torch.atan2(ring[:, 1], ring[:, 0]) / (2 * math.pi) + 0.5).sort().values
    even = (torch.arange(len(angle)) + 0.5) / len(angle)
    assert (angle - even).abs().max() < 1.95 / math.sqrt(len(angle))


def test_draws_are_seeded():
    plain = spec("circles")
    assert torch.equal(plain.load().features, plain.load().features)
    for seed in ("draw_seed", "order_seed"):
        other = replace(plain, **{seed: 1}).load()
        assert not torch.equal(other.features, plain.load().features)


def test_features_can_be_named_and_constrained():
    plain = spec("linearly_separable")
    assert isinstance(plain, Blobs)
    dataset = replace(
        plain,
        feature_names=("debt", "age"),
        deviations=(0.5, 1.0),
        mutability={"age": "immutable"},
        domain={"debt": (-5.0, None)},
    ).load()
    assert dataset.feature_names == ("debt", "age")
    assert of_class(dataset, 0).std(0).tolist() == pytest.approx([0.5, 1.0], abs=0.05)
    assert dataset.constraints.may_increase.tolist() == [True, False]
    assert dataset.constraints.may_decrease.tolist() == [True, False]
    assert dataset.constraints.lower[0] == -5
    assert dataset.constraints.upper[0] == torch.inf
    assert dataset.constraints.lower[1] > -torch.inf


def test_any_number_of_classes_and_features():
    plain = spec("linearly_separable")
    centres = ((0.0, 0.0, 0.0), (9.0, 0.0, 0.0), (0.0, 9.0, 0.0), (0.0, 0.0, 9.0))
    dataset = replace(
        plain, feature_names=("a", "b", "c"), centres=centres, deviations=(1.0,) * 3
    ).load()
    assert dataset.classes == 4
    for label, centre in enumerate(centres):
        assert of_class(dataset, label).mean(0).tolist() == pytest.approx(
            centre, abs=0.2
        )
    circles = spec("circles")
    assert isinstance(circles, Circles)
    assert replace(circles, radii=(0.1, 1.0, 2.0)).load().classes == 3


@pytest.mark.parametrize("name", SETS)
def test_an_unknown_feature_is_refused_with_the_closest(name):
    with pytest.raises(
        ConfigError, match=r"mutability\.x3: expected one of 'x1', 'x2'"
    ):
        replace(spec(name), mutability={"x3": "immutable"}).load()


def test_more_rows_than_generated_are_refused():
    with pytest.raises(DataError, match=r"expected at most 100000 .*got 100001"):
        replace(spec("circles"), training_rows=98_501).load()


def test_numbers_for_another_count_of_features_are_refused_all_at_once():
    with pytest.raises(ConfigError) as caught:
        replace(spec("overlapping"), deviations=(1.0,), centres=((0.0, 0.0, 0.0),))
    keys = [mistake.split(": ")[0] for mistake in caught.value.mistakes]
    assert keys == ["data.deviations", "data.centres[0]", "data.centres"]
