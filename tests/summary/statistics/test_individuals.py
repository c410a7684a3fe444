"""Individuals that are valid under both models, by hand."""

import pandas as pd
import pytest

from cftrain.summary.statistics.individuals import common


def individuals(*given: tuple[float | None, int, bool, float]) -> pd.DataFrame:
    columns = ["energy_weight", "factual", "valid", "value"]
    return pd.DataFrame(given, columns=columns).assign(target=1, draws=7)


def test_common_individuals_by_hand():
    """Valid under both: (0.1, 1), (0.1, 2), (5, 1); the other three are not."""
    ours = individuals(
        (0.1, 1, True, 1.0),
        (0.1, 2, True, 3.0),
        (0.1, 3, True, 9.0),
        (5.0, 1, True, 4.0),
        (5.0, 2, False, 9.0),
    )
    theirs = individuals(
        (0.1, 1, True, 2.0),
        (0.1, 2, True, 6.0),
        (0.1, 3, False, 9.0),
        (5.0, 1, True, 5.0),
        (5.0, 4, True, 9.0),
    )
    found = common(ours, theirs)
    assert found.model == pytest.approx(((1 + 3) / 2 + 4) / 2)
    assert found.baseline == pytest.approx(((2 + 6) / 2 + 5) / 2)
    assert (found.count, found.share) == (3, 3 / 6)


def test_common_individuals_of_a_generator_without_energy_weight():
    ours, theirs = individuals((None, 1, True, 1)), individuals((None, 1, True, 2))
    found = common(ours, theirs)
    assert (found.model, found.baseline, found.share) == (1, 2, 1)


def test_a_model_shares_all_valid_individuals_with_itself():
    ours = individuals((0.1, 1, True, 1.0), (0.1, 2, True, 3.0))
    found = common(ours, ours)
    assert (found.model, found.share) == (found.baseline, 1)


def test_no_common_individual_is_none():
    ours, theirs = individuals((0.1, 1, True, 1)), individuals((0.1, 1, False, 1))
    assert common(ours, theirs) is None
