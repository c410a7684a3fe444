from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cftrain.summary.figures.effects import effects, reductions_of, varied_axes
from tests.summary.rows import metric_rows
from tests.summary.stores import STACK, cell, write_grid

COORDINATES = {
    "a": {"generator": "revise", "tau": 0.9, "widths": [32], "seed": 1},
    "b": {"generator": "revise", "tau": 0.5, "widths": [8, 8], "seed": 1},
    "c": {"generator": "ecco", "tau": 0.9, "energy_weight": 5.0, "seed": 2},
    "d": {"generator": "ecco", "tau": 0.5, "energy_weight": 0.1, "seed": 2},
}
WEIGHTS_AND_ROUNDS = [(weight, number) for weight in (0.1, 1.0) for number in range(3)]


def values(cell: str) -> dict:
    drawn = np.random.default_rng(ord(cell)).uniform(1, 2, len(WEIGHTS_AND_ROUNDS))
    return dict(zip(WEIGHTS_AND_ROUNDS, drawn.tolist(), strict=True))


@pytest.fixture
def collection(tmp_path):
    rows = [cell("moons", "vanilla", 1, cell="v")]
    rows += [cell("moons", "full", 1, cell=name) for name in COORDINATES]
    metrics = [
        found
        for name in ("v", *COORDINATES)
        for measure in ("ip", "cost", "validity")
        for found in metric_rows(name, STACK, measure, values(name))
    ]
    return write_grid(
        tmp_path, rows, grid="tune", coordinates=COORDINATES, metrics=metrics
    )


def test_axes_are_those_with_several_values_in_their_order(collection):
    axes = varied_axes(collection.pairs)
    assert {name: list(axes[name].cat.categories) for name in axes} == {
        "generator": ["revise", "ecco"],
        "tau": [0.5, 0.9],
        "widths": ["[32]", "[8, 8]"],
        "energy_weight": [0.1, 5.0],
    }
    assert axes["energy_weight"].isna().tolist() == [True, True, False, False]


def test_reductions_are_against_the_baseline_of_the_same_round_and_weight(collection):
    found = reductions_of(collection, collection.pairs)
    assert set(found["metric"]) == {"ip", "cost"}
    one = found[(found["model"] == "c") & (found["metric"] == "ip")]
    expected = [
        100 * (values("v")[key] - values("c")[key]) / values("v")[key]
        for key in WEIGHTS_AND_ROUNDS
    ]
    assert one["reduction"].tolist() == pytest.approx(expected)


def test_reductions_need_a_value_and_a_positive_baseline(tmp_path):
    rows = [cell("moons", "full", 1), cell("moons", "vanilla", 1)]
    metrics = [
        *metric_rows(
            "moons-full-1",
            STACK,
            "ip",
            {(0.1, 0): 1.0, (0.1, 1): None, (0.1, 2): 1.0, (0.1, 3): 3.0},
        ),
        *metric_rows(
            "moons-vanilla-1",
            STACK,
            "ip",
            {(0.1, 0): 0.0, (0.1, 1): 1.0, (0.1, 2): None, (0.1, 3): 2.0},
        ),
    ]
    collection = write_grid(tmp_path, rows, metrics=metrics)
    assert reductions_of(collection, collection.pairs)["reduction"].tolist() == [-50.0]


def test_boxes_hold_the_reductions_of_their_level_and_generator(collection):
    (drawing,) = effects(collection)
    assert drawing.name == "effects-tune-moons"
    axes = drawing.figure.get_axes()
    assert len(axes) == 2 * 4
    of_tau, names = axes[1], axes[4 + 1].get_xticklabels()
    assert [name.get_text() for name in names] == ["0.5", "0.9"]
    found = reductions_of(collection, collection.pairs)
    found = found[found["metric"] == "ip"].groupby("model")["reduction"].median()
    # By generator, and by threshold in each.
    medians = [
        float(line.get_ydata()[0])
        for line in of_tau.get_lines()
        if line.get_color() == "black"
    ]
    assert medians == pytest.approx([found[name] for name in "badc"])


def test_settings_without_effect_count_once(collection):
    """Points that share their model, as those of an axis that a generator ignores."""
    twice = pd.concat([collection.pairs, collection.pairs], ignore_index=True)
    doubled = replace(collection, pairs=twice)
    (once,), (more,) = effects(collection), effects(doubled)
    for left, right in zip(once.figure.axes, more.figure.axes, strict=True):
        for one, two in zip(left.get_lines(), right.get_lines(), strict=True):
            assert np.array_equal(one.get_ydata(), two.get_ydata())


def test_without_axes_or_baselines_there_is_nothing_to_show(tmp_path):
    alone = [cell("moons", "full", 1, cell=name) for name in "ab"]
    collection = write_grid(tmp_path, alone, coordinates=COORDINATES)
    assert list(effects(collection)) == []


@pytest.mark.parametrize("lost", ["a", "v"])
def test_failed_models_are_not_drawn(lost, collection):
    cells = collection.cells.copy()
    cells.loc[lost, "status"] = "failed"
    found = list(effects(replace(collection, cells=cells)))
    assert len(found) == (0 if lost == "v" else 1)
    for drawing in found:
        names = [text.get_text() for text in drawing.figure.axes[-2].get_xticklabels()]
        assert "[32]" not in names
