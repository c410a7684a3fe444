"""Points of a grid and the cells that serve them."""

from dataclasses import fields
from itertools import product

import pytest

from cftrain.commands.command_line.options import build
from cftrain.commands.grid import GridOptions
from cftrain.config.names import class_called
from cftrain.config.tree import folder, plain
from cftrain.errors import ConfigError
from cftrain.grid.grid import Grid
from cftrain.grid.points import (
    Described,
    combinations,
    described,
    effective,
    points,
    wanted,
)
from tests.console import TINY_MOONS, compose, read

GROUPS = {path.name for path in folder().iterdir() if path.is_dir()}
COUNTS = {"gen_params": 135, "penalties": 135, "training_params": 24, "tune": 9}
COUNTS |= {"tune_lr": 9, "architecture": 54, "ablation": 27, "single": 9}
COUNTS |= {"mutability": 9, "default": 54, "table_a1": 135}
COUNTS |= {"draws": 20, "revise_vae": 45, "fine_tuning": 9}
# Seven methods at four strengths, smoothing at four, and three models without any.
COUNTS |= {"methods": 16 * 5 * (7 * 4 + 4 + 3), "methods_mnist": 2 * (4 * 2 + 2)}
# Four models of each dataset and seed, each by five generators, and one by its own.
COUNTS |= {"post_hoc": 8 * 3 * (4 * 5 + 1)}


@pytest.mark.parametrize("name", COUNTS)
def test_a_grid_lists_all_that_can_be_said_of_it(name):
    """What a file leaves out cannot be typed like the rest, without a plus."""
    listed = plain(compose(f"grid={name}", root="grid"))["grid"]
    said = {field.name for field in fields(class_called(listed.pop("_target_")))}
    assert set(listed) == said


def grid(axes, only_with=None, fixed=None, tied=None, along=None) -> Grid:
    return Grid(
        name="test",
        axes=axes,
        only_with=only_with or {},
        fixed=fixed or {},
        tied=tied or {},
        along=along or {},
    )


def found_by(made: Grid) -> list[Described]:
    def composed(overrides):
        return plain(compose(*TINY_MOONS, *overrides, root="grid"))

    def built(values):
        run, chosen = build(values, GridOptions)
        return run, chosen.evaluation

    return described(made, GROUPS, composed, built)


def test_combinations_are_the_product_with_the_last_axis_fastest():
    found = list(combinations(grid({"a": (1, 2), "b": ("x", "y", "z")})))
    assert [tuple(point.values()) for point in found] == list(product([1, 2], "xyz"))


def test_a_conditional_axis_exists_only_where_its_condition_holds():
    made = grid({"a": (1, 2), "b": (3, 4)}, {"b": {"a": (1,)}})
    found = [tuple(point.values()) for point in combinations(made)]
    assert found == [(1, 3), (1, 4), (2, None)]


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (folder() / "grid").glob("*.yaml"))
)
def test_every_grid_has_the_points_that_it_is_meant_to_have(name):
    settings = build(plain(compose(f"grid={name}", root="grid")), GridOptions)[1]
    assert len(list(combinations(settings.grid))) == COUNTS[name]


def test_values_reach_the_runs():
    found = found_by(
        grid(
            {"generator": ("ecco", "generic"), "maturity.threshold": (0.6, 0.8)},
            fixed={"search.epsilon": 0.2},
        )
    )
    runs = [each.run for each in found]
    assert [(run.generator.name, run.maturity.threshold) for run in runs] == [
        ("ecco", 0.6),
        ("ecco", 0.8),
        ("generic", 0.6),
        ("generic", 0.8),
    ]
    assert {run.search.epsilon for run in runs} == {0.2}


def test_a_key_that_a_choice_does_not_have_is_without_effect_there():
    axes = {"generator": ("ecco", "generic"), "generator.energy_weight": (1.0, 2.0)}
    found = found_by(grid(axes, fixed={"search.max_steps": 20}))
    made = points(found, None, dedupe=True)
    assert len(made) == 4
    assert len({point.cell.id for point in made}) == 3


def test_mistakes_of_all_points_come_at_once():
    axes = {"maturity.threshold": (0.5, 1.5, 2.5), "generator.nosuch": (1.0,)}
    with pytest.raises(ConfigError) as caught:
        found_by(grid(axes))
    found = "\n".join(caught.value.mistakes)
    assert "got 1.5" in found
    assert "got 2.5" in found
    assert "'generator.nosuch'" in found
    assert len(caught.value.mistakes) == 3


def test_replicates_have_seeds_of_their_own_and_nothing_else():
    axes = {"search.max_steps": (4, 5), "generator.energy_weight": (1.0, 2.0, 3.0)}
    made = points(found_by(grid(axes)), None, dedupe=False)
    assert len({point.cell.id for point in made}) == 6
    assert len({point.cell.run.seed for point in made}) == 3
    shared = points(found_by(grid(axes)), None, dedupe=True)
    assert len({point.cell.id for point in shared}) == 2
    firsts = {point.cell.id for point in made if point.cell.run.seed == 2025}
    assert firsts == {point.cell.id for point in shared}


def test_baselines_are_one_cell_or_one_for_each_point():
    baseline = read("compare=vanilla")[1].compare
    found = found_by(grid({"maturity.threshold": (0.6, 0.7, 0.8)}))
    shared = points(found, baseline, dedupe=True)
    assert [point.role for point in shared] == ["model", "baseline"] * 3
    assert len({p.cell.id for p in shared if p.role == "baseline"}) == 1
    own = points(found, baseline, dedupe=False)
    assert len({p.cell.id for p in own if p.role == "baseline"}) == 3


def test_a_baseline_weighs_classes_as_its_model_does():
    baseline = read("compare=vanilla")[1].compare
    weights = (None, "balanced", [1.0, 2.0])
    found = found_by(grid({"objective.class_weights": weights}))
    made = points(found, baseline, dedupe=True)
    by_role = {
        role: [p.cell.run.objective.class_weights for p in made if p.role == role]
        for role in ("model", "baseline")
    }
    assert by_role["model"] == by_role["baseline"] == [None, "balanced", (1.0, 2.0)]
    assert len({point.cell.pair for point in made}) == 3


@pytest.mark.parametrize(
    ("overrides", "changed", "same"),
    [
        (("objective=vanilla",), ("generator=generic",), True),
        (("objective=vanilla",), ("schedule.epochs=3",), False),
        (("objective=vanilla",), ("evaluation.rounds=3",), True),
        (("objective=vanilla",), ("objective.positive=factual",), True),
        (("objective=vanilla",), ("objective.class_weights=balanced",), False),
        (("search.max_steps=12",), ("generator.energy_weight=9",), True),
        (("search.max_steps=13",), ("generator.energy_weight=9",), False),
        (
            ("search.max_steps=12", "generator.schedule=constant"),
            ("generator.energy_weight=9",),
            False,
        ),
        ((), ("search.epsilon=0.2",), False),
    ],
)
def test_what_has_an_effect(overrides, changed, same):
    before = effective(read(*overrides)[0])
    after = effective(read(*overrides, *changed)[0])
    assert (before == after) == same


def test_an_axis_of_an_unknown_kind_is_a_mistake_of_the_grid():
    with pytest.raises(ConfigError) as caught:
        found_by(grid({"nosuch": (1, 2)}))
    assert caught.value.mistakes == (
        "grid.axes: expected keys or groups of the configuration, got 'nosuch'",
    )


def test_protocols_are_axes_that_share_their_trainings():
    found = found_by(grid({"evaluation": ("full", "synthetic")}))
    made = points(found, read("compare=vanilla")[1].compare, dedupe=True)
    assert len({point.cell.id for point in made}) == 2
    cells = wanted(made)
    assert [len(each.protocols) for each in cells] == [2, 2]


def test_tied_keys_have_the_value_of_the_key_that_they_follow():
    axes = {"seed": (3, 4), "maturity.threshold": (0.6, 0.7)}
    found = found_by(grid(axes, tied={"data.draw_seed": "seed"}))
    seeds = [(each.run.seed, each.run.data.draw_seed) for each in found]
    assert seeds == [(3, 3), (3, 3), (4, 4), (4, 4)]
    cells = {point.cell.id for point in points(found, None, dedupe=True)}
    assert len(cells) == 4
    free = found_by(grid(axes))
    assert {each.run.data.draw_seed for each in free} == {42}


def test_a_tied_key_needs_a_key_to_follow():
    made = grid({"seed": (3,)}, tied={"data.draw_seed": "sead"})
    with pytest.raises(ConfigError) as caught:
        found_by(made)
    assert caught.value.mistakes == (
        "grid.tied.data.draw_seed: expected a key of the configuration, got 'sead'",
    )


def test_what_goes_along_with_a_value_is_set_where_an_axis_has_it():
    counternet = {"model": "counternet", "schedule.epochs": 7}
    made = grid(
        {"objective": ("vanilla", "counternet"), "seed": (3, 4)},
        fixed={"model": "mlp", "schedule.epochs": 5},
        along={"objective": {"counternet": counternet}},
    )
    runs = [each.run for each in found_by(made)]
    assert [
        (run.model.name, run.objective.name, run.schedule.epochs, run.seed)
        for run in runs
    ] == [
        ("mlp", "vanilla", 5, 3),
        ("mlp", "vanilla", 5, 4),
        ("counternet", "counternet", 7, 3),
        ("counternet", "counternet", 7, 4),
    ]


def test_what_goes_along_with_nothing_is_a_mistake():
    with pytest.raises(ConfigError) as caught:
        grid({"a": (1,)}, along={"a": {"2": {"x": 1}}, "b": {"c": {}}})
    assert caught.value.mistakes == ("grid.along: expected axes of the grid, got 'b'",)
    with pytest.raises(ConfigError, match="got 'nosuch'"):
        found_by(grid({"seed": (3,)}, along={"seed": {"3": {"nosuch": 1}}}))


def test_conditions_on_axes_that_are_not_there_are_mistakes():
    """As after ~grid.axes.generator, which leaves what it was a condition of."""
    with pytest.raises(ConfigError) as caught:
        grid({"a": (1,)}, {"a": {"gone": (1,)}, "lost": {"a": (1,)}})
    assert caught.value.mistakes == (
        "grid.only_with.a: expected axes of the grid (a), got 'gone'",
        "grid.only_with.lost: expected axes of the grid (a), got 'lost'",
    )
    with pytest.raises(ConfigError, match=r"grid\.axes\.a: expected at least one"):
        grid({"a": ()})
