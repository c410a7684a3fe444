"""The parts of scikit-learn that are used, or a clear word that it is not there."""

from cftrain.errors import ExtraError

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ExtraError(
        "CounterfactualTrainingClassifier needs scikit-learn 1.6 or later, which "
        f"pip install 'cftrain[sklearn]' adds, got: {error}"
    ) from error

__all__ = [
    "BaseEstimator",
    "ClassifierMixin",
    "check_classification_targets",
    "check_consistent_length",
    "check_is_fitted",
    "check_random_state",
    "column_or_1d",
    "validate_data",
]
