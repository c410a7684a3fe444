"""A terminal that does not know all signs ends no command."""

import pytest

from tests.console import TINY_MOONS, spawn

ASCII = {"PYTHONIOENCODING": "ascii"}
PLAIN_C = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.torture
@pytest.mark.parametrize("variables", [ASCII, PLAIN_C], ids=["ascii", "C"])
def test_signs_that_cannot_be_shown_are_replaced(variables, tmp_path):
    folder = f"hydra.run.dir={tmp_path / 'run'}"
    grid = ("grid=single", "+grid.axes.seed=[1,2]", "workers=1", folder)
    run = str(tmp_path / "run")
    for words in (
        ("grid", *TINY_MOONS, *grid),
        ("status", run),
        ("transfer", run, "rounds=1"),
        ("tables", run),
        ("verify", run, "sample=1"),
        ("train", "experiment=nosuch–option"),
        ("data", "list"),
    ):
        outcome = spawn(*words, cwd=tmp_path, **variables)
        assert "Traceback" not in outcome.err, outcome
        assert "UnicodeEncodeError" not in outcome.err, outcome
        assert outcome.code == (2 if "experiment=nosuch–option" in words else 0)
