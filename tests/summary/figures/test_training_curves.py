import pytest

from cftrain.summary.figures.training_curves import training_curves
from tests.summary.stores import cell, cells, curves, epochs, panels, write_grid


def history(cell: str, objective: str, seed: int) -> list[dict]:
    trained = objective == "full"
    return epochs(
        cell,
        class_loss=[1.0 / seed, 0.5 / seed, 0.25 / seed],
        # No counterfactuals in the first epoch.
        mature_share=[None, 0.2 * seed, 0.4] if trained else [None] * 3,
        divergence=[0.0, -1.0, -2.0] if trained else [0.0] * 3,
    )


def test_curves_are_means_over_seeds_of_what_there_is(tmp_path):
    rows = cells(["moons"], ["full", "vanilla"], [1, 2])
    lines = [
        found
        for row in rows
        for found in history(row["cell"], row["objective"], row["seed"])
    ]
    (drawing,) = training_curves(write_grid(tmp_path, rows, history=lines))
    assert drawing.name == "training-ablation-moons"
    axes = panels(drawing.figure)
    assert list(axes) == ["mature share", "class loss", "divergence"]
    both = curves(axes["class loss"])
    assert both["CT"] == both["BL"] == pytest.approx([0.75, 0.375, 0.1875])
    assert curves(axes["mature share"]) == {"CT": pytest.approx([0.3, 0.4])}
    assert curves(axes["divergence"]) == {"CT": [-1, -2]}


def test_one_epoch_is_no_curve(tmp_path):
    lines = epochs("moons-full-1", class_loss=[1.0])
    rows = [cell("moons", "full", 1)]
    assert list(training_curves(write_grid(tmp_path, rows, history=lines))) == []
