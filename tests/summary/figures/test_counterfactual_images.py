import json
import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from cftrain.errors import ResultError
from cftrain.results.store import Store
from cftrain.summary.figures.counterfactual_images import draw_gallery, galleries
from tests.console import ROOT, files
from tests.summary.rows import PROTOCOL, cell_row, metric_rows, row, write_stack
from tests.summary.stores import STACK, cells, write_grid

HEIGHT, WIDTH = 4, 3


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "results")


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that are saved."""
    kept: list[Figure] = []
    save = Figure.savefig

    def spy(figure, *arguments, **options):
        kept.append(figure)
        return save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", spy)
    return kept


def gallery(
    cell: str, stack: str, factuals: dict[int, int], classes: int, height: int = HEIGHT
) -> list[dict]:
    """Rows for factuals by index, given with their labels."""
    return [
        row(
            "gallery",
            cell=cell,
            stack=stack,
            factual=factual,
            label=label,
            target=target,
            predicted=target,
            values=list(np.linspace(-1, 1, height * WIDTH)),
            height=height,
            width=WIDTH,
        )
        for factual, label in factuals.items()
        for target in range(classes)
    ]


def write_pair(store: Store, factuals: dict[int, int], classes: int) -> None:
    write_stack(
        store,
        "s",
        [cell_row("ct", "s"), cell_row("bl", "s", objective="vanilla")],
        gallery=[
            *gallery("ct", "s", factuals, classes),
            *gallery("bl", "s", factuals, classes),
        ],
    )


@pytest.mark.parametrize(
    ("factuals", "classes"), [({5: 0}, 2), ({5: 0, 2: 1, 9: 2, 1: 3}, 10)]
)
def test_there_is_a_panel_for_each_factual_model_and_class(
    store, tmp_path, drawn, factuals, classes
):
    write_pair(store, factuals, classes)
    (path,) = draw_gallery(store, ["ct", "bl"], PROTOCOL, tmp_path / "figures")
    assert path == tmp_path / "figures" / "counterfactuals.png"
    with Image.open(path) as image:
        assert image.format == "PNG"
        image.load()
        assert image.width > 100 * classes / 2
        assert np.asarray(image.convert("L")).std() > 1
    (figure,) = drawn
    axes = figure.get_axes()
    assert len(axes) == len(factuals) * 2 * classes
    assert all(len(axis.get_images()) == 1 for axis in axes)
    framed = [axis for axis in axes if axis.spines["left"].get_visible()]
    assert len(framed) == len(factuals) * 2


def test_the_baseline_is_the_upper_line_whatever_the_order(store, tmp_path, drawn):
    write_pair(store, {5: 0, 7: 1}, 2)
    for order in (["ct", "bl"], ["bl", "ct"]):
        draw_gallery(store, order, PROTOCOL, tmp_path)
        labels = [axis.get_ylabel() for axis in drawn[-1].get_axes()]
        assert [label for label in labels if label] == ["BL", "CT"] * 2
        titles = [axis.get_title() for axis in drawn[-1].get_axes()]
        assert titles == ["0", "1", *[""] * 6]


def test_the_distance_from_the_factual_is_below_each_counterfactual(
    store, tmp_path, drawn
):
    shown = gallery("ct", "s", {5: 1}, 3)
    for target, image in enumerate(shown):
        image["values"] = [0.25 * target] * (HEIGHT * WIDTH)
    write_stack(store, "s", [cell_row("ct", "s")], gallery=shown)
    draw_gallery(store, ["ct"], PROTOCOL, tmp_path)
    assert [axis.get_xlabel() for axis in drawn[0].get_axes()] == ["3", "", "3"]


def test_a_method_with_several_settings_tells_them(store, tmp_path, drawn):
    told = {
        "weak": {"objective": {"strength": 0.1}},
        "strong": {"objective": {"strength": 1.0}},
        "bl": {},
        "five": {"model": {"_target_": "ensemble"}},
    }
    cells = [
        cell_row(
            cell,
            "s",
            objective="vanilla" if cell in ("bl", "five") else "pgd",
            config=json.dumps(config),
        )
        for cell, config in told.items()
    ]
    images = [image for cell in told for image in gallery(cell, "s", {5: 0}, 2)]
    write_stack(store, "s", cells, gallery=images)
    draw_gallery(store, list(told), PROTOCOL, tmp_path)
    labels = {axis.get_ylabel() for axis in drawn[0].get_axes()} - {""}
    assert labels == {"PGD 0.1", "PGD 1", "BL", "ensemble"}


def test_one_model_has_one_line(store, tmp_path, drawn):
    write_pair(store, {5: 0}, 3)
    draw_gallery(store, ["ct"], PROTOCOL, tmp_path)
    assert len(drawn[0].get_axes()) == 3


def test_a_picture_is_of_the_cells_that_were_asked_for(store, tmp_path, drawn):
    write_pair(store, {5: 0}, 2)
    write_stack(store, "t", [cell_row("x", "t")], gallery=gallery("x", "t", {8: 1}, 2))
    draw_gallery(store, ["x"], PROTOCOL, tmp_path)
    assert len(drawn[0].get_axes()) == 2


def test_cells_of_different_stacks_may_have_other_factuals(store, tmp_path, drawn):
    """compare=none first and its twin later: each stack chose its own factuals."""
    write_stack(
        store, "s", [cell_row("ct", "s")], gallery=gallery("ct", "s", {5: 0, 6: 1}, 2)
    )
    twin = [cell_row("bl", "t", objective="vanilla")]
    write_stack(store, "t", twin, gallery=gallery("bl", "t", {5: 0, 9: 1}, 2))
    draw_gallery(store, ["ct", "bl"], PROTOCOL, tmp_path)
    assert len(drawn[0].get_axes()) >= 4


def test_without_a_gallery_there_is_no_picture(store, tmp_path):
    write_stack(store, "s", [cell_row("ct", "s")])
    assert draw_gallery(store, ["ct"], PROTOCOL, tmp_path / "figures") == []
    assert not (tmp_path / "figures").exists()


def test_rows_that_are_no_images_make_no_picture(store, tmp_path):
    rows = gallery("ct", "s", {1: 0}, 2, height=1)
    write_stack(store, "s", [cell_row("ct", "s")], gallery=rows)
    assert draw_gallery(store, ["ct"], PROTOCOL, tmp_path / "figures") == []


def test_a_picture_that_cannot_be_written_leaves_the_older_one(
    store, tmp_path, monkeypatch
):
    write_pair(store, {5: 0}, 2)
    draw_gallery(store, ["ct", "bl"], PROTOCOL, tmp_path / "figures")
    before = files(tmp_path / "figures")

    def disk_full(figure, path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", disk_full)
    with pytest.raises(ResultError, match=r"counterfactuals\.png: could not be"):
        draw_gallery(store, ["ct", "bl"], PROTOCOL, tmp_path / "figures")
    assert files(tmp_path / "figures") == before


def test_a_collection_has_a_drawing_for_each_dataset_of_the_first_seed(tmp_path):
    rows = cells(["mnist", "moons", "digits"], ["full", "vanilla"], [1, 2])
    shown = [
        found
        for each in rows
        for found in gallery(
            each["cell"],
            STACK,
            {each["seed"]: 0},
            3,
            height=1 if each["data"] == "moons" else HEIGHT,
        )
    ]
    drawings = list(galleries(write_grid(tmp_path, rows, gallery=shown)))
    assert [drawing.name for drawing in drawings] == [
        "counterfactuals-ablation-mnist",
        "counterfactuals-ablation-digits",
    ]
    for drawing in drawings:
        assert len(drawing.figure.get_axes()) == 2 * 3
        assert drawing.caption.endswith("model of seed 1.")


def test_report_and_picture_need_no_torch(store, tmp_path):
    write_stack(
        store,
        "s",
        [cell_row("ct", "s")],
        metric_rows("ct", "s", "ip", {(0.1, 0): 1.0}),
        gallery=gallery("ct", "s", {5: 0}, 2),
    )
    code = f"""
import sys
from pathlib import Path
from cftrain.results.store import Store
from cftrain.summary.figures.counterfactual_images import draw_gallery
from cftrain.summary.report import report
store = Store(Path({str(store.folder)!r}))
assert "IP" in report(store, ["ct"], "{PROTOCOL}")
assert draw_gallery(store, ["ct"], "{PROTOCOL}", Path({str(tmp_path)!r}))[0].is_file()
heavy = {{"torch", "hydra", "matplotlib.pyplot"}} & set(sys.modules)
assert not heavy, heavy
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_images_in_colour_and_the_names_of_their_classes(store, tmp_path, drawn):
    """Values from -1 to 1 are shares of colour from 0 to 1; beyond, they are cut."""
    long = "a class of which people say a lot"
    config = json.dumps({"data": {"classes": ["$x$", long]}})
    values = np.linspace(-1.2, 1.2, HEIGHT * WIDTH * 3)
    shown = [{**each, "values": list(values)} for each in gallery("ct", "s", {5: 0}, 2)]
    write_stack(store, "s", [cell_row("ct", "s", config=config)], gallery=shown)
    draw_gallery(store, ["ct"], PROTOCOL, tmp_path)
    axes = drawn[0].get_axes()
    assert [axis.get_title() for axis in axes] == ["$x$", "a class of which pe…"]
    (image,) = axes[0].get_images()
    expected = ((values + 1) / 2).clip(0, 1).reshape(HEIGHT, WIDTH, 3)
    assert np.asarray(image.get_array()) == pytest.approx(expected, abs=1e-6)
