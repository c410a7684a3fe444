import json
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import pandas as pd
import pytest

from cftrain.config.identity import configured, describe, incidental, later
from cftrain.results.leaves import hyperparameters, leaves, value_at
from tests.console import TINY_MOONS, run_of
from tests.contracts.configured import names


def described(*overrides: str) -> pd.DataFrame:
    return pd.DataFrame({"config": [json.dumps(describe(run_of(*overrides)))]})


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a frozen object by its fields: a second implementation."""
    if is_dataclass(value):
        if key:
            yield key, type(value).registered_name
        new = later(type(value))
        for name in configured(type(value)):
            neutral = name in new and getattr(value, name) == new[name].neutral
            if name not in incidental(type(value)) and not neutral:
                yield from walk(getattr(value, name), f"{key}.{name}".lstrip("."))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from walk(item, f"{key}.{name}")
    else:
        yield key, json.loads(json.dumps(describe(value)))


@pytest.mark.parametrize("experiment", names("experiment"))
def test_every_leaf_of_a_run_is_a_column(experiment):
    run = run_of(f"+experiment={experiment}")
    found = hyperparameters(pd.DataFrame({"config": [json.dumps(describe(run))]}))
    expected = dict(walk(run))
    assert set(found.columns) == set(expected)
    for key, value in expected.items():
        assert found[key][0] == value or (found[key].isna()[0] and value is None), key


def test_a_key_that_a_run_does_not_have_is_missing_in_its_row():
    cells = pd.concat([described(*TINY_MOONS), described("generator=generic")])
    cells.index = pd.Index([7, 9])
    found = hyperparameters(cells)
    assert list(found.index) == [7, 9]
    assert list(found["generator"]) == ["ecco", "generic"]
    assert found["generator.energy_weight"].notna().tolist() == [True, False]


def test_classes_have_the_key_of_their_node_and_lists_are_one_value():
    nested = {"_target_": "run", "a": {"_target_": "x", "b": [1, 2]}, "c": None}
    assert dict(leaves(nested)) == {"a": "x", "a.b": [1, 2], "c": None}


def test_values_are_found_by_their_keys():
    nested = {"a": {"b": 0, "c": None}, "d": 4}
    assert value_at(nested, "a.b") == 0
    assert value_at(nested, "a.c", "default") is None
    assert value_at(nested, "a.e", "default") == "default"
    assert value_at(nested, "d.e") is None
