"""Counterfactual training: models whose explanations are plausible and actionable.

What is named here is public; everything else may change with any version. Nothing is
imported before it is used, so that `import cftrain` costs next to nothing.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cftrain.api.classifier import CounterfactualTrainingClassifier
    from cftrain.api.evaluating import evaluate
    from cftrain.api.explanations import Explanations
    from cftrain.api.results import Results, read_results
    from cftrain.api.searching import search_counterfactuals
    from cftrain.api.training import TrainedRun, train
    from cftrain.counterfactuals.result import SearchResult
    from cftrain.data.constraints import Constraints
    from cftrain.errors import (
        ArgumentError,
        CftrainError,
        ConfigError,
        DataError,
        ExtraError,
        ModelError,
        ResultError,
        StackError,
        WeightsError,
    )

__version__ = "0.1.0"

# MKL multiplies matrices to the same bits wherever they lie in memory, which is what
# makes a model in a stack that of one alone, only if told before its first product.
# What somebody has told it already holds.
os.environ.setdefault("MKL_CBWR", "AVX2,STRICT")

__all__ = [
    "ArgumentError",
    "CftrainError",
    "ConfigError",
    "Constraints",
    "CounterfactualTrainingClassifier",
    "DataError",
    "Explanations",
    "ExtraError",
    "ModelError",
    "ResultError",
    "Results",
    "SearchResult",
    "StackError",
    "TrainedRun",
    "WeightsError",
    "evaluate",
    "read_results",
    "search_counterfactuals",
    "train",
]

_PLACES = {
    "Constraints": "cftrain.data.constraints",
    "CounterfactualTrainingClassifier": "cftrain.api.classifier",
    "Explanations": "cftrain.api.explanations",
    "Results": "cftrain.api.results",
    "SearchResult": "cftrain.counterfactuals.result",
    "TrainedRun": "cftrain.api.training",
    "evaluate": "cftrain.api.evaluating",
    "read_results": "cftrain.api.results",
    "search_counterfactuals": "cftrain.api.searching",
    "train": "cftrain.api.training",
}
"""Where the public names are that are no errors."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES.get(name, "cftrain.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
