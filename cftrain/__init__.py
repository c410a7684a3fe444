"""Counterfactual training: models whose explanations are plausible and actionable."""

__version__ = "0.1.0"
