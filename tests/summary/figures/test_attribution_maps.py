import numpy as np
import pytest

from cftrain.summary.figures.attribution_maps import attribution_maps
from tests.summary.rows import row
from tests.summary.stores import STACK, cell, write_grid

HEIGHT, WIDTH = 6, 4


def values(objective: str, seed: int, label: int) -> np.ndarray:
    return np.random.default_rng([len(objective), seed, label]).normal(
        size=HEIGHT * WIDTH
    )


def collection(folder, *, height: int = HEIGHT):
    config = {"data": {"immutable_rows": [0, 1, 5]}}
    rows = [
        cell("mnist", objective, seed, config=config, protected=12)
        for objective in ("full", "vanilla")
        for seed in (1, 2)
    ]
    maps = [
        row(
            "attributions",
            cell=each["cell"],
            stack=STACK,
            label=label,
            values=values(each["objective"], each["seed"], label).tolist(),
            height=height,
            width=HEIGHT * WIDTH // height,
        )
        for each in rows
        for label in range(3)
    ]
    return write_grid(folder, rows, grid="mutability", attributions=maps)


def test_there_is_a_line_for_each_model_of_the_first_seed(tmp_path):
    (drawing,) = attribution_maps(collection(tmp_path))
    assert drawing.name == "attributions-mutability-protected-mnist"
    assert "(0, 1, 5 from the top)" in drawing.caption
    axes = [axis for axis in drawing.figure.get_axes() if axis.get_images()]
    assert [axis.get_ylabel() for axis in axes] == ["BL", "", "", "CT", "", ""]
    assert [axis.get_title() for axis in axes] == ["0", "1", "2", "", "", ""]
    for place, axis in enumerate(axes):
        objective = ("vanilla", "full")[place // 3]
        (image,) = axis.get_images()
        expected = values(objective, 1, place % 3).reshape(HEIGHT, WIDTH)
        assert np.asarray(image.get_array()) == pytest.approx(expected, abs=1e-6)


def test_a_model_has_one_scale_symmetric_about_zero(tmp_path):
    (drawing,) = attribution_maps(collection(tmp_path))
    images = [i for axis in drawing.figure.get_axes() for i in axis.get_images()]
    for place, objective in enumerate(("vanilla", "full")):
        most = max(np.abs(values(objective, 1, label)).max() for label in range(3))
        for image in images[3 * place : 3 * place + 3]:
            assert image.get_clim() == pytest.approx((-most, most))


def test_lines_bound_the_protected_rows(tmp_path):
    (drawing,) = attribution_maps(collection(tmp_path))
    axis = drawing.figure.get_axes()[0]
    assert [line.get_ydata()[0] for line in axis.get_lines()] == [1.5, 4.5]


def test_rows_that_are_no_images_have_no_map(tmp_path):
    assert list(attribution_maps(collection(tmp_path, height=1))) == []


def test_contributions_of_the_colours_of_a_pixel_add_up(tmp_path):
    """With three channels, stored values are those of a third as many pixels."""
    rows = [cell("mnist", "full", 1, config={"data": {"classes": ["ox", "cow"]}})]
    maps = [
        row(
            "attributions",
            cell=rows[0]["cell"],
            stack=STACK,
            label=label,
            values=values("full", 1, label).tolist(),
            height=HEIGHT // 3,
            width=WIDTH,
        )
        for label in range(2)
    ]
    (drawing,) = attribution_maps(write_grid(tmp_path, rows, attributions=maps))
    axes = [axis for axis in drawing.figure.get_axes() if axis.get_images()]
    assert [axis.get_title() for axis in axes] == ["ox", "cow"]
    for label, axis in enumerate(axes):
        (image,) = axis.get_images()
        expected = values("full", 1, label).reshape(HEIGHT // 3, WIDTH, 3).sum(-1)
        assert np.asarray(image.get_array()) == pytest.approx(expected, abs=1e-6)
