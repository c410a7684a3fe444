"""Stacks of cells."""

from dataclasses import replace

import pytest

from cftrain.grid.cells import cell
from cftrain.grid.plan import automatic_width, loads, plan, signature
from tests.console import run_of

FEATURES = {"moons": 2}
VANILLA = (
    "objective=vanilla",
    "evaluation.rounds=5",
)


def cells(count, *overrides):
    run = run_of("data=moons", *overrides)
    return [cell(replace(run, seed=seed), "generated") for seed in range(count)]


@pytest.mark.parametrize("width", [1, 3, 50, None])
def test_every_cell_is_in_one_stack(width):
    made = [*cells(7), *cells(4, "search.max_steps=5"), *cells(2, "objective=vanilla")]
    stacks = plan(made, features=FEATURES, width=width, workers=2)
    planned = [each.id for stack in stacks for each in stack.cells]
    assert sorted(planned) == sorted(each.id for each in made)
    for stack in stacks:
        assert len({signature(each.run) for each in stack.cells}) == 1
        assert width is None or len(stack.cells) <= width
    assert [s.seconds for s in stacks] == sorted(s.seconds for s in stacks)[::-1]


def test_the_plan_does_not_depend_on_chance():
    made = cells(9)
    first = plan(made, features=FEATURES, width=2, workers=3)
    assert first == plan(list(made), features=FEATURES, width=2, workers=3)


@pytest.mark.parametrize(
    ("changed", "together"),
    [
        ("maturity.threshold=0.6", True),
        ("generator.energy_weight=1", True),
        ("objective.divergence_weight=0.1", True),
        ("search.epsilon=0.1", True),
        ("seed=7", True),
        ("search.max_steps=5", False),
        ("generator=generic", False),
        ("schedule.epochs=7", False),
        ("evaluation.rounds=7", False),
        ("objective=vanilla", False),
        ("objective.nascent_label=predicted", False),
        ("generator=revise", False),
    ],
)
def test_floats_and_seeds_may_differ_in_a_stack(changed, together):
    same = signature(run_of()) == signature(run_of(changed))
    assert same == together


def test_autoencoders_of_a_stack_are_equal():
    one, other = (
        run_of("generator=revise", f"generator.vae.learning_rate={rate}")
        for rate in (0.001, 0.002)
    )
    assert signature(one) != signature(other)


def test_wide_inputs_make_narrow_stacks():
    run = run_of("schedule=large", "schedule.counterfactuals=3000")
    widths = [automatic_width(run, features) for features in (2, 33, 108, 784)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 1


def test_workers_have_stacks_to_share():
    """As long as that saves time: each stack costs its steps, whatever its width."""
    for workers in (2, 4, 8):
        stacks = plan(cells(80), features=FEATURES, width=None, workers=workers)
        assert len(stacks) >= workers


def test_an_automatic_plan_is_no_slower_than_any_single_width():
    made = [*cells(30), *cells(21, "search.max_steps=50"), *cells(50, *VANILLA)]
    for workers in (2, 7, 33):
        chosen = plan(made, features=FEATURES, width=None, workers=workers)
        end = max(loads(chosen, workers))
        for width in (1, 2, 3, 8, 32):
            other = plan(made, features=FEATURES, width=width, workers=workers)
            assert end <= 1.1 * max(loads(other, workers)), (workers, width)


def test_loads_are_even_where_stacks_are():
    stacks = plan(cells(64), features=FEATURES, width=2, workers=8)
    busy = loads(stacks, 8)
    assert sum(busy) == pytest.approx(sum(stack.seconds for stack in stacks))
    assert max(busy) < 1.1 * sum(busy) / 8
