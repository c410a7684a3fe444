import numpy as np
import pytest
import torch

from cftrain.errors import ConfigError
from cftrain.illustrations.plane import decision_map, protecting, shared_factuals
from tests.builders import linear
from tests.console import run_of


@pytest.fixture(scope="module")
def dataset():
    return run_of("data=moons", "data.generated_rows=6000").data.load()


def model(slope: float):
    """Class 1 where slope times the second feature is below zero."""
    weight = torch.tensor([[[0.0, slope], [0.0, -slope]]])
    return linear(weight, torch.zeros(1, 2)).float()


def test_a_linear_score_is_that_of_its_logits(dataset):
    found = decision_map(dataset, model(1.5))
    x, y = found.axes
    expected = 1 / (1 + np.exp(3 * y))
    assert found.score.shape == (len(y), len(x))
    assert found.score == pytest.approx(np.tile(expected[:, None], len(x)), abs=1e-5)
    low, high = dataset.features.amin(0), dataset.features.amax(0)
    assert x[0] < low[0] < high[0] < x[-1]
    assert y[0] < low[1] < high[1] < y[-1]


def test_factuals_are_rightly_predicted_by_all_and_spread(dataset):
    models = [model(1.0), model(2.0)]
    rows = shared_factuals(models, dataset, label=1, count=5)
    assert (rows[:, 1] < 0).all()
    right = (dataset.test_labels == 1) & (dataset.test_features[:, 1] < 0)
    candidates = dataset.test_features[right]
    assert (rows[:, 0].diff() > 0).all()
    assert rows[0, 0] == candidates[:, 0].min()
    assert rows[-1, 0] == candidates[:, 0].max()


def test_models_that_agree_on_nothing_share_no_factuals(dataset):
    with pytest.raises(ConfigError, match="factuals: expected at most 0, the test"):
        shared_factuals([model(1.0), model(-1.0)], dataset, label=0, count=1)


def test_a_protected_feature_is_the_same_as_a_loaded_one(dataset):
    """One reading of the data serves all panels."""
    held = run_of(
        "data=moons", "data.generated_rows=6000", "+data.mutability.x1=immutable"
    ).data.load()
    found = protecting(dataset, "x1")
    assert torch.equal(found.features, held.features)
    for name in ("lower", "upper", "may_increase", "may_decrease"):
        ours, theirs = (getattr(d.constraints, name) for d in (found, held))
        assert torch.equal(ours, theirs)
    assert protecting(held, None).constraints.all_free


def test_a_feature_that_is_not_there_is_refused(dataset):
    with pytest.raises(ConfigError, match="feature: expected one of x1, x2, got 'age'"):
        protecting(dataset, "age")
