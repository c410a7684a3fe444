"""Metrics of what a classifier predicts on test rows, attacked or not."""
