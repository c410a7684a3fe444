"""For the tests of plug-ins: whether a class keeps the contracts of its kind."""

from cftrain.testing.contracts import check_dataset, check_generator, check_metric

__all__ = ["check_dataset", "check_generator", "check_metric"]
