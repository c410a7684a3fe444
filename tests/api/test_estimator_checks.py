"""scikit-learn's own checks of estimators."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.api.loans import estimator

MEANING = (
    "a row of weight 2 is in one batch, validates or not, is drawn for searches and "
    "counts in means as one row; that row twice is all this twice"
)
EXPECTED = {"check_sample_weight_equivalence_on_dense_data": MEANING}
"""Checks that fail, and why that is right."""

LEARNING = ("search.max_steps=5", "schedule.optimiser.learning_rate=0.03")


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
@pytest.mark.filterwarnings("default")
@parametrize_with_checks(
    [estimator(epochs=15, overrides=LEARNING)],
    expected_failed_checks=lambda tested: EXPECTED,
)
def test_it_is_a_citizen_of_scikit_learn(estimator, check):
    check(estimator)
