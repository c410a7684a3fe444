import json
from dataclasses import replace

from cftrain.config.identity import describe
from cftrain.evaluation.protocol import Attributions
from cftrain.grid.cells import cell, protocol_id
from cftrain.training.run import cell_id
from tests.console import TINY_MOONS, run_of


def test_a_cell_is_a_run_and_its_id():
    run = run_of(*TINY_MOONS)
    made = cell(run, "generated")
    assert made.run is run
    assert made.id == cell_id(run, "generated")
    assert made == cell(run_of(*TINY_MOONS), "generated")


def test_columns_are_the_settings_of_the_run():
    made = cell(
        run_of(
            *TINY_MOONS,
            "seed=7",
            "schedule.burn_in=0.25",
            "maturity.threshold=0.6",
            "search.step_size=0.2",
            "search.epsilon=0.15",
            "generator.energy_weight=2.5",
            "objective=adversarial",
            "objective.adversarial_weight=0.75",
        ),
        "generated",
    )
    columns = made.columns()
    config = json.loads(columns.pop("config"))
    assert config["objective"]["adversarial_weight"] == 0.75
    assert config.items() >= describe(made.run).items()
    assert columns == {
        "cell": made.id,
        "pair": made.pair,
        "data": "moons",
        "model": "mlp",
        "generator": "ecco",
        "objective": "adversarial",
        "seed": 7,
        "epochs": 2,
        "counterfactuals": 16,
        "burn_in": 0.25,
        "threshold": 0.6,
        "max_steps": 4,
        "step_size": 0.2,
        "epsilon": 0.15,
        "energy_weight": 2.5,
        "class_weight": 1.0,
        "divergence_weight": 0.0,
        "adversarial_weight": 0.75,
        "ridge_weight": 0.0,
        "protocol": protocol_id(made.run),
    }


def test_settings_that_a_part_does_not_have_are_null():
    columns = cell(run_of(*TINY_MOONS, "generator=generic"), "generated").columns()
    assert columns["generator"] == "generic"
    assert columns["energy_weight"] is None


def test_a_protocol_is_what_shapes_the_numbers_of_an_evaluation():
    made = run_of(*TINY_MOONS)
    same = run_of(*TINY_MOONS, "seed=9", "objective.ridge_weight=0.3")
    assert protocol_id(same) == protocol_id(made)
    shown = Attributions(steps=5, seed=1)
    pictured = replace(made, evaluation=replace(made.evaluation, attributions=shown))
    assert protocol_id(pictured) == protocol_id(made)
    for other in ("evaluation.rounds=3", "evaluation.maturity.threshold=0.5"):
        assert protocol_id(run_of(*TINY_MOONS, other)) != protocol_id(made)
