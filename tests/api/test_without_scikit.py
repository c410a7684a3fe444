"""A plain install has no scikit-learn: what needs it says so, all else works."""

import subprocess
import sys

from tests.console import ROOT

PROGRAM = """
import sys
sys.modules["sklearn"] = None  # as if it were not installed
import cftrain
cftrain.search_counterfactuals, cftrain.evaluate, cftrain.train, cftrain.read_results
try:
    cftrain.CounterfactualTrainingClassifier
except ImportError as error:
    print(type(error).__name__, isinstance(error, cftrain.CftrainError), error)
"""


def test_the_estimator_says_what_it_needs():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ExtraError True CounterfactualTrainingClassifier")
    assert "pip install 'cftrain[sklearn]'" in done.stdout
