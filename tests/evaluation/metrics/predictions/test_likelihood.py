"""Negative log-likelihood, against scikit-learn."""

import pytest
from sklearn.metrics import log_loss

from cftrain.evaluation.metrics.predictions.likelihood import NegativeLogLikelihood
from tests.builders import blobs, mlp
from tests.evaluation.individuals import subject


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_that_of_scikit_learn(classes):
    data = blobs(classes=classes)
    asked = subject(mlp(3, classes=classes, scale=2.0), data)
    found = NegativeLogLikelihood()(asked)
    assert found.shape == (1, 3)
    for cell in range(3):
        expected = log_loss(
            data.test_labels, asked.probabilities[cell], labels=range(classes)
        )
        assert found[0, cell].item() == pytest.approx(expected, rel=1e-6)
