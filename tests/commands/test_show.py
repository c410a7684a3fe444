"""`cftrain show`: finished runs, sweeps and grids are printed again."""

from pathlib import Path

import pytest

from tests.console import TINY_MOONS, call, files


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> tuple[Path, str]:
    """A sweep over two seeds, and what it printed."""
    folder = tmp_path_factory.mktemp("sweep")
    words = ("train", "-m", *TINY_MOONS, "seed=1,2", f"hydra.sweep.dir={folder}")
    outcome = call(*words)
    assert outcome.code == 0, outcome.err
    return folder, outcome.out


def shown(*words: str) -> str:
    outcome = call("show", *words)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def test_a_sweep_ends_with_a_summary_over_its_seeds(swept):
    _, out = swept
    last = out.rpartition("results: ")[2]
    assert "seeds 1, 2, 2 epochs" in last
    assert "half of the 95 % interval over 2 training seeds" in last
    assert out.count("seeds 1, 2") == 1


def test_the_folder_of_a_sweep_shows_that_summary(swept):
    folder, out = swept
    assert out.endswith(f"\n{shown(str(folder))}")


def test_a_sweep_without_other_seeds_has_no_summary(tmp_path):
    words = ("train", "-m", *TINY_MOONS, "compare=none", "schedule.epochs=1,2")
    out = call(*words, f"hydra.sweep.dir={tmp_path}").out
    assert "seeds" not in out
    assert shown(str(tmp_path)).count("moons (generated") == 2


def test_a_run_is_shown_as_it_was_printed(swept):
    folder, out = swept
    before = files(folder)
    runs = [path.parent for path in folder.rglob("cells")]
    assert len(runs) == 2
    for run in runs:
        assert f"{shown(str(run))}results: {run}\n" in out
    assert files(folder) == before


@pytest.mark.parametrize("word", ["all=true", "--all"])
def test_all_measures_are_shown_on_demand(swept, word):
    folder, _ = swept
    assert "IP* (ℓ = 0.5)" not in shown(str(folder))
    assert "IP* (ℓ = 0.5)" in shown(str(folder), word)


def test_a_grid_is_shown_point_by_point_up_to_a_number(tmp_path):
    axes = "grid.axes={maturity.threshold: [0.6, 0.75]}"
    grid = (axes, "grid.only_with={}", "grid.fixed={}", "workers=1")
    assert call("grid", *TINY_MOONS, *grid, f"hydra.run.dir={tmp_path}").code == 0
    out = shown(str(tmp_path))
    assert "2 epochs,\nmaturity threshold 0.6\n" in out
    assert "2 epochs,\nmaturity threshold 0.75\n" in out
    assert "CT against BL" in out
    one = shown(str(tmp_path), "most=1")
    assert "threshold 0.75" not in one
    assert one.endswith("and 1 other models: most=2 shows them as well\n")


def test_a_baseline_alone_is_shown(tmp_path):
    words = ("train", *TINY_MOONS, "objective=vanilla", f"hydra.run.dir={tmp_path}")
    assert call(*words).code == 0
    assert "BL is conventional training" in shown(str(tmp_path))


def test_without_results_there_is_a_message(tmp_path):
    assert "expected results" in call("show", str(tmp_path)).message
    assert "expected a folder" in call("show", str(tmp_path / "nosuch")).message
    assert "expected a folder" in call("show").message
