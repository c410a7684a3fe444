import pytest

from cftrain.config.overrides import (
    options_first,
    replacing_overrides,
    typed_overrides,
)
from cftrain.config.tree import plain
from tests.console import compose, run_of

ADULT = ("data=adult", "schedule=large")


def composed(*overrides: str) -> dict:
    return plain(compose(*replacing_overrides(overrides)))


@pytest.mark.parametrize(
    "word",
    [
        "data=moons",
        "seed=1",
        "data.domain_deviations=null",
        "model.hidden=[32,{a: 1}]",
        "+data.mutability={x1: immutable}",
        "++data.mutability={x1: immutable}",
        "~data.mutability",
        "objective={ridge_weight: 0}",
        "data.draw_seed=${seed}",
        "name=$" + "{data.name}.{x}",
        "hydra.job.env_set={A: 1}",
        "--config-dir",
        "my.folder/{x}",
        "data.missing={",
        "data.name='{x}'",
    ],
)
def test_other_words_stay_as_they_are(word):
    assert replacing_overrides([word]) == [word]


def test_a_typed_mapping_comes_after_nothing():
    words = ["data=adult", "data.missing={}", "seed=2"]
    assert replacing_overrides(words) == [
        "data=adult",
        "data.missing=null",
        "data.missing={}",
        "seed=2",
    ]
    sweep = "data.mutability={},{x1: immutable}"
    assert replacing_overrides([sweep]) == ["data.mutability=null", sweep]


def test_an_empty_mapping_empties():
    assert composed(*ADULT)["data"]["missing"]
    assert composed(*ADULT, "data.missing={}")["data"]["missing"] == {}
    assert run_of(*replacing_overrides([*ADULT, "data.missing={}"])).data.missing == {}


def test_a_mapping_replaces_that_of_an_experiment():
    words = ("+experiment=adult_protected", "data.mutability={sex: immutable}")
    assert composed(words[0])["data"]["mutability"] == {"age": "immutable"}
    assert composed(*words)["data"]["mutability"] == {"sex": "immutable"}
    added = composed(words[0], f"+{words[1]}")["data"]["mutability"]
    assert added == {"age": "immutable", "sex": "immutable"}


def test_mappings_below_an_object_are_replaced():
    found = composed(*ADULT, "data.raw.only={split: test}", "data.raw.names={age: Age}")
    assert found["data"]["raw"]["only"] == {"split": "test"}
    assert found["data"]["raw"]["names"] == {"age": "Age"}


def test_an_object_is_replaced_as_a_whole():
    generic = "{_target_: generic, name: generic, distance_weight: 0.1}"
    found = composed(f"evaluation.generator={generic}")["evaluation"]["generator"]
    assert found == {"_target_": "generic", "name": "generic", "distance_weight": 0.1}


def test_what_was_nothing_becomes_a_mapping():
    origin = composed(*ADULT)["data"]["raw"]
    assert composed(*ADULT)["data"]["prepared"] is None
    typed = "data.prepared={_target_: parquet, stem: mine}"
    assert composed(*ADULT, typed)["data"]["prepared"]["stem"] == "mine"
    assert composed(*ADULT, typed)["data"]["raw"] == origin


def test_later_words_count():
    typed = "data.mutability={x1: immutable}"
    assert composed(typed, "data.mutability={}")["data"]["mutability"] == {}
    found = composed(typed, "data.mutability.x1=increase")["data"]["mutability"]
    assert found == {"x1": "increase"}


def test_a_misspelt_key_is_still_refused():
    with pytest.raises(Exception, match=r"Could not override 'data\.mising'"):
        composed(*ADULT, "data.mising={}")


@pytest.mark.parametrize(
    "typed",
    [
        ["seed=1", "data.domain={x1: [0, 1]}", "name=a"],
        ["data.domain=null", "data.domain={}"],
        ["data.domain_deviations=null", "seed=2"],
        [],
    ],
)
def test_what_was_typed_is_known_after_the_replacement(typed):
    assert typed_overrides(replacing_overrides(typed)) == typed


@pytest.mark.parametrize(
    "words",
    [
        ["seed=1", "--config-dir", "mine", "name=a"],
        ["seed=1", "--config-dir=mine", "name=a"],
        ["seed=1", "name=a"],
        ["-m", "seed=1", "name=a"],
    ],
)
def test_options_may_stand_anywhere(words):
    options = [word for word in words if word not in ("seed=1", "name=a")]
    assert options_first(words) == [*options, "seed=1", "name=a"]
