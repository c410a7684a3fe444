"""What makes two trainings, two evaluations and two stacks the same."""

from dataclasses import replace

import pytest

from cftrain.config.identity import describe
from cftrain.evaluation.protocol import Attributions, Protocol
from cftrain.grid.cells import cell, pictures_id, protocol_id, stack_id
from cftrain.training.run import rebuild
from tests.console import TINY_MOONS, read, run_of


def protocol(*overrides: str) -> Protocol:
    return read(*TINY_MOONS, *overrides)[1].evaluation


def test_a_cell_is_a_run_and_its_id():
    run = run_of(*TINY_MOONS)
    made = cell(run, "generated:1")
    assert made.run is run
    assert made.data == "generated:1"
    assert made == cell(run_of(*TINY_MOONS), "generated:1")
    assert made.id != cell(run, "generated:2").id
    assert made.pair != cell(run, "generated:2").pair


def test_a_cell_that_is_built_again_is_the_same():
    made = cell(run_of(*TINY_MOONS, "generator=revise"), "generated:1")
    assert cell(rebuild(describe(made.run)), "generated:1") == made


def test_a_protocol_is_what_shapes_the_numbers_of_an_evaluation():
    made = protocol()
    same = protocol("seed=9", "objective.ridge_weight=0.3", "device=cuda")
    assert protocol_id(same) == protocol_id(made)
    for other in (
        "evaluation.rounds=3",
        "evaluation.maturity.threshold=0.5",
        "evaluation.search.max_steps=7",
        "~evaluation.metrics.cost",
    ):
        assert protocol_id(protocol(other)) != protocol_id(made), other


def test_pictures_are_asked_for_by_themselves():
    made = protocol()
    pictured = replace(made, attributions=Attributions(steps=5, seed=1))
    others = replace(made, attributions=Attributions(steps=6, seed=1))
    assert protocol_id(pictured) == protocol_id(made)
    assert pictures_id(made) == ""
    assert pictures_id(pictured) not in ("", pictures_id(others))


@pytest.mark.parametrize("purpose", [(), ("protocol", "pictures")])
def test_a_stack_is_its_cells_in_their_order(purpose):
    assert stack_id(["a", "b"], *purpose) == stack_id(["a", "b"], *purpose)
    made = [["a", "b"], ["b", "a"], ["a"], ["ab"], ["a", "b", "c"]]
    assert len({stack_id(cells, *purpose) for cells in made}) == len(made)
    assert stack_id(["a"], "b") != stack_id(["a"], "c")
