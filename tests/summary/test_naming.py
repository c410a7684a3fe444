import pytest

from cftrain.summary.figures.styles import GENERATOR_STYLES, OBJECTIVE_STYLES
from cftrain.summary.naming import (
    DATASETS,
    GENERATORS,
    OBJECTIVES,
    axis_name,
    dataset_name,
    generator_name,
    objective_name,
    ordered_datasets,
    ordered_objectives,
)
from tests.contracts.configured import names, run_with


def test_the_papers_datasets_come_first_and_in_its_order():
    mixed = ["wine", "mnist", "credit", "moons", "mnist", "linearly_separable"]
    expected = ["linearly_separable", "moons", "mnist", "credit", "wine"]
    assert ordered_datasets(mixed) == expected
    assert list(map(dataset_name, expected)) == ["LS", "Moon", "MNIST", *expected[3:]]


def test_the_baseline_comes_last():
    assert ordered_objectives(["vanilla", "energy", "full"]) == [
        "full",
        "energy",
        "vanilla",
    ]
    assert objective_name("adversarial") == "AR"


@pytest.mark.parametrize("name", names("objective"))
def test_every_objective_has_a_name_and_a_style(name):
    objective = run_with("objective", name).objective.name
    assert objective in OBJECTIVES
    assert objective in OBJECTIVE_STYLES


def test_generators_with_names_of_their_own_are_configured_and_have_styles():
    assert set(GENERATORS) == set(GENERATOR_STYLES)
    assert set(GENERATORS) <= set(names("generator"))
    assert [generator_name(name) for name in ("ecco", "other")] == ["ECCo", "other"]


def test_every_dataset_of_the_paper_is_configured():
    assert set(DATASETS) <= set(names("data"))


def test_styles_differ_without_colour():
    for styles in (OBJECTIVE_STYLES, GENERATOR_STYLES):
        for part in ("colour", "line", "marker", "hatch"):
            assert len({getattr(style, part) for style in styles.values()}) == len(
                styles
            )


def test_an_axis_is_named_in_words():
    assert axis_name("generator.energy_weight") == "generator energy weight"
