"""Mappings with names of any signs, as they can be typed."""

import numpy as np
import pandas as pd
import pytest

from cftrain.config.overrides import replacing_overrides
from cftrain.config.pairs import as_mapping
from tests.console import call, read

NAMES = ("größe <cm>", "a, b #1", 'he said "hi"', "x=y: {z}", "it's", "100 % [net]")


def quoted(name: str) -> str:
    """A text in Hydra's grammar."""
    return '"' + name.replace('"', '\\"') + '"'


def pairs(values: dict[str, str]) -> str:
    return ", ".join(f"[{quoted(name)}, {value}]" for name, value in values.items())


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    label = rng.random(200) < 0.5
    frame = pd.DataFrame({name: rng.normal(label, 1).round(2) for name in NAMES[:5]})
    frame[NAMES[5]] = rng.choice(["low", "middle", "high"], 200)
    frame["urteil, endgültig"] = np.where(label, "ja", "nein")
    path = tmp_path / "größen.csv"
    frame.to_csv(path, index=False)
    return path


def test_every_key_can_name_every_column(table):
    words = [
        "data=table",
        f"data.path={quoted(str(table))}",
        f"data.label={quoted('urteil, endgültig')}",
        f"data.kinds=[{pairs({NAMES[0]: 'numeric', NAMES[5]: 'ordered'})}]",
        f"data.levels=[{pairs({NAMES[5]: '[low, middle, high]'})}]",
        f"data.domain=[{pairs({NAMES[1]: '[null, 9]', NAMES[4]: '[-9, 9]'})}]",
        f"data.immutable=[{quoted(NAMES[2])}]",
        f"data.increase=[{quoted(NAMES[3])}]",
        f"data.leave_out=[{quoted(NAMES[4])}]",
        f"data.relations=[{quoted(f'`{NAMES[0]}` <= `{NAMES[1]}` + 99')}]",
    ]
    run, _ = read(*replacing_overrides(words))
    data = run.data
    assert list(data.columns) == [name for name in NAMES if name != NAMES[4]]
    assert data.columns[NAMES[5]] == "ordered"
    assert tuple(data.levels[NAMES[5]]) == ("low", "middle", "high")
    assert data.mutability == {NAMES[2]: "immutable", NAMES[3]: "increase"}
    assert data.domain[NAMES[1]] == (None, 9)
    assert len(data.relations) == 1


def test_who_puts_signs_into_a_mapping_is_told_of_pairs(table):
    words = ("train", "data=table", f"data.path={quoted(str(table))}", "data.label=x")
    told = call(*words, "data.kinds={größe: numeric}").message
    assert "\"key=[['a name', value], ...]\"" in told


def test_pairs_replace_a_mapping_as_a_mapping_does():
    word = 'data.missing=[["a b", median]]'
    assert replacing_overrides([word]) == ["data.missing=null", word]
    for other in ("data.image=[[a,b,c]]", "data.size=[28,28]", "data.x=[[a,b],[c]]"):
        assert replacing_overrides([other]) == [other]


def test_pairs_are_a_mapping_if_they_can_be():
    assert as_mapping([["a", 1], ["b", [2]]]) == {"a": 1, "b": [2]}
    for other in ([], {}, [["a", 1], ["a", 2]], [[1, 2]], [["a"]], "ab", None):
        assert as_mapping(other) is other


def test_a_name_twice_is_refused(table):
    words = ("train", "data=table", f"data.path={quoted(str(table))}", "data.label=x")
    word = 'data.kinds=[["a", numeric], ["a", numeric]]'
    assert "data.kinds: expected a mapping" in call(*words, word).message
