"""Classifiers with a leading stack axis."""
