"""Balanced accuracy, AUC and calibration, against scikit-learn and by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from cftrain.evaluation.metrics.predictions.balanced_accuracy import BalancedAccuracy
from cftrain.evaluation.metrics.predictions.calibration import CalibrationError
from cftrain.evaluation.metrics.predictions.ranking import Auc
from tests.builders import blobs, linear, mlp
from tests.evaluation.individuals import subject

CELLS = 3


@pytest.fixture(params=[2, 3])
def measured(request):
    """Models and data of two or three classes, some of them rare."""
    data = blobs(classes=request.param)
    labels = torch.where(torch.arange(30) % 5 == 0, data.test_labels, 0)
    labels[1] = request.param - 1
    data = replace(data, test_labels=labels)
    return subject(mlp(CELLS, classes=request.param, scale=2.0), data)


def test_balanced_accuracy_is_that_of_scikit_learn(measured):
    found = BalancedAccuracy()(measured)
    assert found.shape == (1, CELLS)
    labels = measured.dataset.test_labels
    for cell in range(CELLS):
        expected = balanced_accuracy_score(labels, measured.predicted[cell])
        assert found[0, cell].item() == pytest.approx(expected)


def test_auc_is_that_of_scikit_learn(measured):
    found = Auc()(measured)
    assert found.shape == (1, CELLS)
    for cell in range(CELLS):
        labels = measured.dataset.test_labels
        scores = measured.probabilities[cell].numpy()
        one_hot = np.eye(scores.shape[1])[labels]
        present = one_hot.any(0)
        expected = roc_auc_score(one_hot[:, present], scores[:, present])
        assert found[0, cell].item() == pytest.approx(expected)


def test_a_model_that_says_the_same_of_all_rows_has_half_the_area():
    data = blobs()
    model = linear(torch.zeros(1, 3, 4).double(), torch.zeros(1, 3).double())
    assert Auc()(subject(model, data)).tolist() == [[0.5]]


def test_rows_of_one_class_have_no_auc():
    data = blobs()
    data = replace(data, test_labels=torch.zeros_like(data.test_labels))
    found = Auc()(subject(mlp(2), data))
    assert found.shape == (1, 2)
    assert torch.isnan(found).all()


def test_calibration_by_numpy(measured):
    """Another implementation: bin by bin."""
    bins = 7
    found = CalibrationError(bins=bins)(measured)
    assert found.shape == (1, CELLS)
    labels = measured.dataset.test_labels.numpy()
    for cell in range(CELLS):
        scores = measured.probabilities[cell].numpy()
        confidence, right = scores.max(1), scores.argmax(1) == labels
        expected = 0.0
        for low in np.arange(bins) / bins:
            inside = (confidence > low) & (confidence <= low + 1 / bins)
            if inside.any():
                gap = abs(right[inside].mean() - confidence[inside].mean())
                expected += inside.mean() * gap
        assert found[0, cell].item() == pytest.approx(expected)


def test_who_is_sure_and_right_is_calibrated():
    data = blobs()
    bias = torch.tensor([[200.0, 0, 0]], dtype=torch.float64)
    sure = subject(linear(torch.zeros(1, 3, 4).double(), bias), data)
    share = (data.test_labels == 0).double().mean().item()
    error = CalibrationError(bins=15)(sure).item()
    assert error == pytest.approx(1 - share)
    right = replace(data, test_labels=torch.zeros_like(data.test_labels))
    assert CalibrationError(bins=15)(subject(sure.classifier, right)).item() == 0
