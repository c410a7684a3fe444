"""100,000 answers for random tables with relations: each obeys them, exactly."""

import pytest

from tests.torture.related_schemas import check

PARTS, ANSWERS = 20, 5000
MOST_TABLES = 1000


def answers(wanted: int, rows: int, part: int = 0) -> int:
    """Checks answers until there are so many; how many there were."""
    found = 0
    for seed in range(MOST_TABLES * part, MOST_TABLES * (part + 1)):
        found += check(seed, rows)[0]
        if found >= wanted:
            return found
    return found


def test_a_few_hundred_answers_obey_relations_as_told(unchecked):
    assert answers(300, rows=30) >= 300


@pytest.mark.torture
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_answers_obey_relations_as_told(part, unchecked):
    assert answers(ANSWERS, rows=300, part=part) >= ANSWERS
