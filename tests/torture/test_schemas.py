"""10,000 random schemas: every returned row keeps to its own, or is counted."""

import pytest
import torch

from tests.torture.schemas import CATEGORIES, GENERATORS, check

SCHEMAS = 200
"""For each generator and treatment of categories and each type of numbers."""

DTYPES = (torch.float64, torch.float32)


def broken_rows(name: str, categories: str, seeds: range) -> int:
    """Rows that break a schema among those of many, half of them in each precision."""
    return sum(check(seed, DTYPES[seed % 2], name, categories) for seed in seeds)


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("categories", CATEGORIES)
def test_a_few_schemas(name, categories, unchecked):
    broken_rows(name, categories, range(4))


@pytest.mark.torture
@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("categories", CATEGORIES)
def test_ten_thousand_schemas(name, categories, unchecked):
    # Rows that start outside and never move are among them: the count is seen to work.
    assert broken_rows(name, categories, range(2 * SCHEMAS)) > 0


@pytest.mark.torture
def test_there_are_as_many_as_promised():
    assert 2 * SCHEMAS * len(GENERATORS) * len(CATEGORIES) >= 10_000
