"""Paths of a baseline and of counterfactual training on two-dimensional data."""

import numpy as np
import pytest

from cftrain.illustrations.boundary import trained_paths
from cftrain.illustrations.decision_map import DecisionMap
from cftrain.illustrations.path_figure import draw_paths
from tests.console import TINY_MOONS, read

THRESHOLD, GRID_ERROR = 0.75, 0.1


@pytest.fixture(scope="module", params=["ecco", "revise"])
def drawn(request):
    run, settings = read(
        *TINY_MOONS,
        f"generator={request.param}",
        f"maturity.threshold={THRESHOLD}",
        "schedule.epochs=40",
        "search.max_steps=30",
    )
    return trained_paths(
        run,
        settings.compare,
        run.data.load(),
        5,
        generator=run.generator,
        descent=run.search,
    )


def test_a_search_that_the_domain_stops_is_told(drawn):
    """By the last point of the way, against the rows' own bounds."""
    run, _ = read(*TINY_MOONS)
    limits = run.data.load().constraints
    for model in drawn:
        ends = np.array([way[-1] for way in model.ways])
        near = np.abs(ends - limits.lower.numpy()) < 1e-4
        near |= np.abs(ends - limits.upper.numpy()) < 1e-4
        assert model.stopped.tolist() == near.any(1).tolist()


def test_both_models_start_from_the_same_factuals_of_both_classes(drawn):
    assert [model.objective for model in drawn] == ["vanilla", "full"]
    starts = [[way[0] for way in model.ways] for model in drawn]
    assert np.array_equal(starts[0], starts[1])
    assert len(starts[0]) == 5


def test_a_mature_way_ends_on_the_other_side_of_the_boundary(drawn):
    for model in drawn:
        assert model.mature.any()
        for number, way in enumerate(model.ways):
            label = int(number >= 3)
            assert probability(model.map, way[0], label) > 0.5 - GRID_ERROR
            if model.mature[number]:
                end = probability(model.map, way[-1], 1 - label)
                assert end > THRESHOLD - GRID_ERROR


def probability(shown: DecisionMap, row: np.ndarray, label: int) -> float:
    """Of a class at the point of the map that is nearest."""
    x, y = shown.axes
    score = shown.score[np.abs(y - row[1]).argmin(), np.abs(x - row[0]).argmin()]
    return float(score if label else 1 - score)


def test_the_picture(drawn, tmp_path):
    files = draw_paths(drawn, ["x1", "x2"], tmp_path / "boundary")
    assert [path.suffix for path in files] == [".png", ".pdf"]
