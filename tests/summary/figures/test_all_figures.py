import os
import subprocess
import sys

import matplotlib
import pytest

from cftrain.errors import ResultError
from cftrain.summary.figures.all_figures import draw_all
from cftrain.summary.reading.collection import collect
from tests.console import ROOT
from tests.summary.rows import metric_rows
from tests.summary.stores import STACK, attacked, cell, cells, epochs, write_grid


@pytest.fixture
def root(tmp_path):
    rows = cells(["moons"], ["full", "vanilla"], [1, 2])
    metrics, history = [], []
    for row in rows:
        name, value = row["cell"], 2.0 if row["objective"] == "vanilla" else 1.0
        metrics += attacked(name, "fgsm_accuracy", {0.0: 0.9, 0.1: 0.8})
        metrics += metric_rows(name, STACK, "ip", {(0.1, 0): value})
        history += epochs(name, class_loss=[1.0, 0.5])
    write_grid(tmp_path / "results", rows, metrics=metrics, history=history)
    return tmp_path / "results"


def test_every_figure_that_has_anything_to_show_is_written(root, tmp_path):
    folder = tmp_path / "figures"
    pictures = draw_all(collect(root), folder)
    assert [[file.name for file in picture.files] for picture in pictures] == [
        [f"{name}.png", f"{name}.pdf"]
        for name in (
            "reductions-ablation",
            "robust_accuracy-fgsm-ablation",
            "training-ablation-moons",
        )
    ]
    for picture in pictures:
        assert picture.title
        assert picture.caption.endswith(".")
        assert all(file.stat().st_size > 1000 for file in picture.files)
    assert len(list(folder.iterdir())) == 2 * len(pictures)


def test_settings_of_other_figures_stay_as_they_are(root, tmp_path):
    before = dict(matplotlib.rcParams)
    draw_all(collect(root), tmp_path / "figures")
    assert dict(matplotlib.rcParams) == before


def test_with_nothing_to_show_nothing_is_written(tmp_path):
    collection = write_grid(tmp_path / "results", [cell("moons", "full", 1)])
    assert draw_all(collection, tmp_path / "figures") == []
    assert not (tmp_path / "figures").exists()


def test_a_folder_that_cannot_be_written_is_an_error(root, tmp_path):
    (tmp_path / "figures").write_text("in the way")
    with pytest.raises(ResultError, match="could not be written"):
        draw_all(collect(root), tmp_path / "figures")


def test_figures_need_no_torch(root, tmp_path):
    code = f"""
import sys
from pathlib import Path
from cftrain.summary.reading.collection import collect
from cftrain.summary.figures.all_figures import draw_all
assert draw_all(collect(Path({str(root)!r})), Path({str(tmp_path / "figures")!r}))
heavy = {{"torch", "hydra", "matplotlib.pyplot"}} & set(sys.modules)
assert not heavy, heavy
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
