"""A terminal that does not know all signs ends no command."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.console import TINY, TINY_MOONS, call, spawn

ASCII = {"PYTHONIOENCODING": "ascii"}
PLAIN_C = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
FORMATS = ("text", "csv", "html")


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


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> Path:
    """A model of a table whose columns and levels are not ASCII, and its rows."""
    here = tmp_path_factory.mktemp("foreign")
    rows = pd.DataFrame(
        {
            "größe": [row % 37 for row in range(200)],
            "métier": ["ouvrière", "≥ 2"] * 100,
            "oui": ["é", "n"] * 100,
        }
    )
    rows.to_csv(here / "table.csv", index=False, encoding="utf-8")
    rows[::50].to_csv(here / "rows.csv", index=False, encoding="utf-8")
    words = ("data=table", "data.path=table.csv", "data.label=oui", "compare=none")
    tiny = [word for word in TINY if not word.startswith("schedule.epochs")]
    # As many epochs as it takes to be sure of something: there have to be answers.
    sizes = (*tiny, "schedule.epochs=30", "schedule.batch_rows=16")
    done = call("train", *words, *sizes, "hydra.run.dir=run", cwd=here)
    assert done.code == 0, done
    return here


@pytest.mark.parametrize(
    "form", ["json", *(pytest.param(f, marks=pytest.mark.torture) for f in FORMATS)]
)
def test_a_file_is_utf_8_whatever_the_terminal_is(form, foreign, tmp_path):
    output = tmp_path / f"answers.{form}"
    words = ("explain", "run", "rows=rows.csv", f"format={form}")
    done = spawn(*words, f"output={output}", cwd=foreign, **PLAIN_C)
    assert (done.code, done.err) == (0, "")
    assert "métier" in output.read_text(encoding="utf-8")
    said = spawn(*words, cwd=foreign, **PLAIN_C)
    assert said.code == 0, said
    assert "Traceback" not in said.err
    assert said.out.isascii()
    assert "\\u00e9" in said.out
    if form == "json":
        lines = output.read_text(encoding="utf-8").splitlines()
        assert list(map(json.loads, said.out.splitlines())) == list(
            map(json.loads, lines)
        )


@pytest.mark.torture
def test_an_exported_model_is_utf_8_whatever_the_terminal_is(foreign, tmp_path):
    done = spawn("export", "run", str(tmp_path / "model"), cwd=foreign, **PLAIN_C)
    assert done.code == 0, done
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md")]
    assert any("métier" in text for text in texts)
    words = ("explain", str(tmp_path / "model"), "rows=rows.csv", "format=json")
    alike = [
        call(*words[:1], each, *words[2:], cwd=foreign) for each in ("run", words[1])
    ]
    assert [each.code for each in alike] == [0, 0], alike
    told = [list(map(json.loads, each.out.splitlines())) for each in alike]
    assert told[0] == told[1]
