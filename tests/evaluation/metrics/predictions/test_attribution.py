from dataclasses import replace

import pytest
import torch

from cftrain.data.dataset import Dataset
from cftrain.evaluation.attribution import attributions
from cftrain.evaluation.metrics.predictions.attribution import ProtectedAttribution
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from tests.builders import FEATURES, blobs, constraints, linear, mlp, normal
from tests.evaluation.individuals import subject

KINDS = ["increase", "free", "immutable", "free"]
PROTECTED = [0, 2]


def metric(normalisation: str, rows: int = 40, rounds: int = 6) -> ProtectedAttribution:
    return ProtectedAttribution(
        rounds=rounds, rows=rows, steps=5, normalisation=normalisation, seed=3
    )


def data(kinds: list[str] = KINDS) -> Dataset:
    return blobs(limits=constraints(kinds, -9, 9))


def narrow(kinds: list[str]) -> Dataset:
    """Two features only."""
    wide = blobs()
    return replace(
        wide,
        features=wide.features[:, :2],
        test_features=wide.test_features[:, :2],
        feature_names=wide.feature_names[:2],
        constraints=constraints(kinds, -9, 9),
    )


def test_rounds_average_the_attributions_of_drawn_rows():
    """By hand: the rows of a round are those of its generator."""
    classifier = mlp(2, scale=2.0)
    each = attributions(classifier, data(), steps=5, seed=3)
    generator = Stream(3).child("rounds").generator()
    drawn = torch.randint(30, (6, 40), generator=generator)
    published, bounded = (
        metric(name)(subject(classifier, data())) for name in ("published", "bounded")
    )
    assert published.shape == bounded.shape == (6, 2)
    for number in range(6):
        for cell in range(2):
            g = each[cell, drawn[number]].mean(0)
            scaled = (g - g.min()) / (g.max() - g.min())
            torch.testing.assert_close(
                published[number, cell], scaled[PROTECTED].mean()
            )
            share = g.abs()[PROTECTED].sum() / g.abs().sum()
            torch.testing.assert_close(bounded[number, cell], share)
    assert len(bounded.unique()) == 12


def test_two_features_are_divided_by_their_gap():
    classifier, both = mlp(2, features=2, scale=2.0), narrow(["immutable", "free"])
    each = attributions(classifier, both, steps=5, seed=3)
    generator = Stream(3).child("rounds").generator()
    drawn = torch.randint(30, (6, 40), generator=generator)
    means = each[:, drawn].mean(2)
    gap = (means[..., 0] - means[..., 1]).abs()
    published = metric("published")(subject(classifier, both))
    torch.testing.assert_close(published, (means[..., 0].abs() / gap).T)
    bounded = metric("bounded")(subject(classifier, both))
    expected = means[..., 0].abs() / means.abs().sum(-1)
    torch.testing.assert_close(bounded, expected.T)


def test_what_the_model_does_not_look_at_has_no_share():
    weight = normal(1, 3, FEATURES, seed=1)
    weight[:, :, PROTECTED] = 0
    classifier = linear(weight, torch.zeros(1, 3, dtype=torch.float64))
    assert (metric("bounded")(subject(classifier, data())) == 0).all()
    weight = normal(1, 3, FEATURES, seed=1)
    weight[:, :, [1, 3]] = 0
    classifier = linear(weight, torch.zeros(1, 3, dtype=torch.float64))
    found = metric("bounded")(subject(classifier, data()))
    torch.testing.assert_close(found, torch.ones_like(found))


@pytest.mark.parametrize("normalisation", ["published", "bounded"])
def test_values_are_shares_and_a_blind_model_has_none(normalisation):
    found = metric(normalisation)(subject(mlp(4), data()))
    assert ((found >= 0) & (found <= 1)).all()
    blind = linear(torch.zeros(1, 3, 4, dtype=torch.float64), normal(1, 3))
    assert metric(normalisation)(subject(blind, data())).isnan().all()


def test_nothing_protected_has_no_rounds():
    found = metric("published")(subject(mlp(3), data(["free"] * FEATURES)))
    assert found.shape == (0, 3)


@pytest.mark.parametrize("normalisation", ["published", "bounded"])
def test_cells_are_measured_as_if_alone(normalisation):
    classifier = mlp(3, scale=2.0)
    together = metric(normalisation)(subject(classifier, data()))
    for cell in range(3):
        alone = metric(normalisation)(subject(frozen(classifier, [cell]), data()))
        torch.testing.assert_close(alone, together[:, [cell]])


def test_more_rows_a_round_leave_less_between_rounds():
    few, many = (
        metric("bounded", rows=rows, rounds=50)(
            subject(mlp(1, scale=2.0), data())
        ).std()
        for rows in (10, 1000)
    )
    assert 5 * many < few
    assert metric("bounded").unit == "share"
    assert metric("published").unit == "ratio"
