"""Annotations in words."""

from typing import Annotated, Any, Literal

import pytest

from cftrain.config.ranges import AtLeast, Between, Count, Later, PositiveFloat, Seed
from cftrain.counterfactuals.hyperparameters import Probability, Weight
from cftrain.counterfactuals.maturity import Maturity
from scripts.manual.accepted import accepted


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (str | None, "a text or null"),
        (bool, "true or false"),
        (Any, "any value"),
        (Count, "a whole number ≥ 1"),
        (Seed, "a whole number ≥ 0"),
        (Count | None, "a whole number ≥ 1 or null"),
        (PositiveFloat, "a number > 0"),
        (Weight, "a number ≥ 0"),
        (Annotated[Weight, Later(0.0)], "a number ≥ 0"),
        (Probability, "a number in (0, 1)"),
        (Annotated[float, Between(0, 1, closed=True)], "a number from 0 to 1"),
        (Annotated[float, AtLeast(0)] | None, "a number ≥ 0 or null"),
        (Literal["l1", "l2"], "`l1` or `l2`"),
        (Literal["a", "b", "c"] | None, "`a`, `b` or `c` or null"),
        (tuple[str, ...], "a list, each a text"),
        (tuple[Count, Count], "a list of 2: each a whole number ≥ 1"),
        (dict[str, bool], "a mapping, of each name true or false"),
        (Maturity | None, "a `Maturity` or null"),
    ],
)
def test_an_annotation_is_told(hint, words):
    assert accepted(hint) == words
