"""scikit-learn's own checks of estimators."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.api.loans import estimator

EXPECTED: dict[str, str] = {}
"""Checks that fail, and why that is right: there are none."""

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
