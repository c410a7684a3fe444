import numpy as np
import pytest
from matplotlib.figure import Figure

from cftrain.illustrations.decision_map import DecisionMap
from cftrain.illustrations.path_figure import Paths, draw_paths

WAYS = (
    np.array([[0.0, 0.0], [0.4, 0.1], [0.9, 0.4]]),
    np.array([[1.0, 1.0]]),
    np.array([[0.2, 0.8], [0.7, 0.2]]),
)


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    kept: list[Figure] = []
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, path, **_: kept.append(figure)
    )
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: None)
    return kept


def model(objective: str, mature: list[bool]) -> Paths:
    x, y = np.linspace(-1, 2, 5), np.linspace(0, 1, 4)
    return Paths(
        objective=objective,
        map=DecisionMap(
            features=np.array([[0.0, 0.0], [1.0, 1.0]]),
            labels=np.array([0, 1]),
            axes=(x, y),
            score=np.tile(np.linspace(0, 1, 5), (4, 1)),
        ),
        ways=WAYS,
        nascent=np.array([[0.0, 0.0], [1.0, 1.0], [0.25, 0.7]]),
        mature=np.array(mature),
        stopped=np.array([False, True, False]),
    )


def test_every_way_is_drawn_with_its_beginning_and_end(drawn, tmp_path):
    models = [model("vanilla", [True, True, False]), model("full", [True] * 3)]
    files = draw_paths(models, ["x1", "x2"], tmp_path / "boundary")
    assert [file.suffix for file in files] == [".png", ".pdf"]
    left, right = drawn[0].get_axes()
    assert (left.get_title(), right.get_title()) == ("BL", "CT")
    assert (left.get_xlabel(), left.get_ylabel()) == ("x1", "x2")
    lines = [line.get_xydata() for line in left.get_lines() if len(line.get_xdata())]
    for line, way in zip(lines, WAYS, strict=True):
        assert np.array_equal(line, way)
    marks = {str(found.get_label()): found.get_offsets() for found in left.collections}
    assert np.array_equal(marks["factual"], [way[0] for way in WAYS])
    assert np.array_equal(marks["counterfactual"], [WAYS[0][-1], WAYS[1][-1]])
    assert np.array_equal(marks["not mature"], [WAYS[2][-1]])
    # A nascent row that has not moved is its factual.
    assert np.array_equal(marks["nascent"], [[0.25, 0.7]])


def test_the_boundary_is_where_the_score_is_one_half(drawn, tmp_path):
    draw_paths([model("full", [True] * 3)], ["x1", "x2"], tmp_path / "boundary")
    axis = drawn[0].get_axes()[0]
    (contour,) = (found for found in axis.collections if hasattr(found, "levels"))
    (path,) = contour.get_paths()
    assert path.vertices[:, 0] == pytest.approx(0.5)
    legend = drawn[0].legends[0]
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == [
        "class 0",
        "class 1",
        "decision boundary",
        "search step",
        "factual",
        "nascent",
        "counterfactual",
    ]
