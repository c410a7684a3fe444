"""Counterfactual training: classifiers whose explanations are plausible and actionable."""

__version__ = "0.1.0"
