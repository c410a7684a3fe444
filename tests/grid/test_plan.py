"""Stacks of cells."""

from dataclasses import replace

import pytest

from cftrain.grid.cells import Cell, cell
from cftrain.grid.plan import Costs, Stack, loads, plan, signature
from tests.console import read, run_of

FEATURES = {"moons": 2}


def cells(count: int, *overrides: str) -> list[Cell]:
    run = run_of("data=moons", *overrides)
    return [cell(replace(run, seed=seed), "generated") for seed in range(count)]


def costs(made: list[Cell], features: dict[str, int] = FEATURES) -> Costs:
    """Each cell is evaluated by the protocol of grids."""
    protocol = read("evaluation=grid")[1].evaluation
    return Costs(features=features, protocols={each.id: [protocol] for each in made})


def planned(made: list[Cell], *, most: int | None, workers: int) -> list[Stack]:
    return plan(made, costs(made), most=most, workers=workers)


@pytest.mark.parametrize("most", [1, 3, 50, None])
def test_every_cell_is_in_one_stack(most):
    made = [*cells(7), *cells(4, "search.max_steps=5"), *cells(2, "objective=vanilla")]
    stacks = planned(made, most=most, workers=2)
    found = [each.id for stack in stacks for each in stack.cells]
    assert sorted(found) == sorted(each.id for each in made)
    for stack in stacks:
        assert len({signature(each.run) for each in stack.cells}) == 1
        assert most is None or len(stack.cells) <= most
    assert [s.seconds for s in stacks] == sorted(s.seconds for s in stacks)[::-1]


def test_the_plan_does_not_depend_on_chance():
    made = cells(9)
    first = planned(made, most=2, workers=3)
    assert first == planned(list(made), most=2, workers=3)


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
        ("evaluation.rounds=7", True),
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
        run_of("generator=revise", f"generator.space.vae.learning_rate={rate}")
        for rate in (0.001, 0.002)
    )
    assert signature(one) != signature(other)


def test_wide_inputs_make_narrow_stacks():
    (made,) = cells(1, "schedule.batch_rows=1000", "schedule.counterfactuals=3000")
    widths = [
        costs([made], {"moons": features}).most_cells(made)
        for features in (2, 33, 108, 784)
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 1


def test_workers_have_stacks_to_share():
    """As long as that saves time: each stack costs its steps, whatever its width."""
    for workers in (2, 4, 8):
        stacks = planned(cells(80), most=None, workers=workers)
        assert len(stacks) >= workers


def test_an_automatic_plan_is_no_slower_than_any_single_width():
    vanilla = cells(50, "objective=vanilla")
    made = [*cells(30), *cells(21, "search.max_steps=50"), *vanilla]
    for workers in (2, 7, 33):
        chosen = planned(made, most=None, workers=workers)
        end = max(loads(chosen, workers))
        for width in (1, 2, 3, 8, 32):
            other = planned(made, most=width, workers=workers)
            assert end <= 1.1 * max(loads(other, workers)), (workers, width)


def test_loads_are_even_where_stacks_are():
    stacks = planned(cells(64), most=2, workers=8)
    busy = loads(stacks, 8)
    assert sum(busy) == pytest.approx(sum(stack.seconds for stack in stacks))
    assert max(busy) < 1.1 * sum(busy) / 8


def test_evaluations_cost_what_their_protocols_ask_for():
    made = cells(2)
    few, many = (
        read(f"evaluation.rounds={rounds}")[1].evaluation for rounds in (5, 50)
    )
    asked = {made[0].id: [few], made[1].id: [few, many]}
    estimate = Costs(features=FEATURES, protocols=asked)
    first, second = (estimate.of_evaluation(each) for each in made)
    assert second == pytest.approx(11 * first)
    assert Costs(features=FEATURES, protocols={}).of_evaluation(made[0]) == 0
