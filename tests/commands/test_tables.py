"""`cftrain tables`: from Parquet to the paper's tables."""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from cftrain.commands import tables
from cftrain.config import tree
from cftrain.results.store import Store
from tests.console import ROOT, call, files
from tests.summary.experiments import Pair, random_values, write_grid
from tests.summary.rows import metric_rows, write_evaluation

DATASETS = ("moons", "linearly_separable")
NAMES = sorted(path.stem for path in (tree.folder() / "table").glob("*.yaml"))


def pairs(metrics: tuple[str, ...], protected: int = 0) -> list[Pair]:
    """Two datasets with three seeds, all values drawn."""
    made = []
    for place, data in enumerate(DATASETS):
        for seed in (3, 1, 2):
            drawn = 100 * place + 10 * seed + protected
            made.append(
                Pair(
                    data=data,
                    seed=seed,
                    protected=protected,
                    model={m: random_values(drawn + n) for n, m in enumerate(metrics)},
                    baseline={
                        m: random_values(drawn + n + 5000)
                        for n, m in enumerate(metrics)
                    },
                )
            )
    return made


@pytest.fixture
def folder(tmp_path):
    write_grid(tmp_path / "main", pairs(("ip", "ip_star", "validity")))
    write_grid(tmp_path / "own", pairs(("cost", "validity"), 1), grid="mutability")
    return tmp_path


def printed(folder, *words: str) -> str:
    outcome = call("tables", f"folder={folder}", *words, cwd=folder)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def message(folder, *words: str) -> str:
    given = [] if "folder=nosuch" in words else [f"folder={folder}"]
    return call("tables", *given, *words, cwd=folder).message


def entries(folder, table: str) -> dict[tuple[str, str], dict[str, str]]:
    """Lines of the CSV format by row and column."""
    text = printed(folder, f"table={table}", "format=csv")
    lines = csv.DictReader(io.StringIO(text))
    return {(line["data"], line["column"]): line for line in lines}


def test_the_main_table_from_raw_rows(folder):
    """Percentage, ±, star and average, recomputed from the Parquet files alone."""
    found = entries(folder, "main")
    for grid, metric in (("main", "ip"), ("main", "ip_star"), ("own", "cost")):
        cells = pd.read_parquet(folder / grid / "cells")
        rows = pd.read_parquet(folder / grid / "metrics").query("metric == @metric")
        rows = rows.merge(cells[["cell", "data", "seed", "objective"]], on="cell")
        of_dataset = {}
        for name, data in (("LS", "linearly_separable"), ("Moon", "moons")):
            reductions = {}
            for seed in (1, 2, 3):
                own = rows[(rows["data"] == data) & (rows["seed"] == seed)]
                wide = own.pivot_table(
                    index="round", columns="objective", values="value", aggfunc="mean"
                )
                ratio = wide["full"] / wide["vanilla"]
                reductions[seed] = 100 * (1 - ratio.mean())
                if seed == 1:
                    gaps = wide["full"].abs() - wide["vanilla"].abs()
                    spread = 100 * ratio.std()
                    low, high = gaps.quantile([0.005, 0.995])
            line = found[name, metric]
            assert float(line["value"]) == pytest.approx(reductions[1], rel=1e-9)
            assert float(line["spread"]) == pytest.approx(spread, rel=1e-9)
            assert bool(int(line["star"])) == bool(low > 0 or high < 0)
            mean = sum(reductions.values()) / 3
            seeds = found[name, f"{metric}_seeds"]
            assert float(seeds["value"]) == pytest.approx(mean, rel=1e-9)
            of_dataset[name] = reductions[1], mean
        for suffix, place in (("", 0), ("_seeds", 1)):
            average = sum(both[place] for both in of_dataset.values()) / 2
            line = found["Avg.", f"{metric}{suffix}"]
            assert float(line["value"]) == pytest.approx(average, rel=1e-9)


def test_everything_is_written_and_told(folder):
    out = printed(folder)
    written = set(files(folder))
    for name in ("main", "validity", "confidence"):
        for ending in ("md", "tex", "csv", "html"):
            assert f"tables/{name}.{ending}" in written
    assert "tables/transfer.md" not in written
    assert (folder / "report.html").read_text().count("<h2>") > 3
    assert "### Reduction of implausibility and cost" in out
    assert out.splitlines()[-1] == f"report: {folder}/report.html"
    assert printed(folder, "table=main") == (folder / "tables/main.md").read_text()


@pytest.mark.parametrize("form", tables.FORMATS)
def test_one_table_is_printed_and_nothing_else(form, folder):
    before = files(folder)
    text = printed(folder, "table=main", f"format={form}")
    assert text.startswith(("### ", "% Needs", "data,", "<!DOCTYPE html>"))
    assert files(folder) == before


def test_an_interval_can_be_chosen(folder):
    found = {
        kind: printed(folder, "table=main", f"interval={kind}")
        for kind in ("t", "bootstrap")
    }
    assert found["t"] != found["bootstrap"]


@pytest.mark.parametrize("name", ["LS", "ls", "linearly_separable"])
def test_a_number_is_explained_down_to_its_rows(name, folder):
    out = printed(folder, "--explain", "main", name, "ip")
    shown = entries(folder, "main")["LS", "ip"]["shown"]
    assert out.splitlines()[-1] == shown
    for said in ("grid main", "energy weight 4", "from 60 rows", "ratio CT/BL"):
        assert said in out
    (path,) = set(re.findall(r"main-4-ct in\s+(\S+\.parquet)", out))
    assert "main-4-ct" in pq.read_table(path)["cell"].to_pylist()


def test_an_average_is_explained(folder):
    out = printed(folder, "--explain", "main", "avg.", "ip")
    assert "plain mean of " in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["table=mian"], "(did you mean 'main'?)"),
        (["table=main", "format=word"], "format: expected one of markdown, latex, csv"),
        (["interval=z"], "interval: expected one of t, bootstrap, got 'z'"),
        (["explain=[LS,ip]"], "explain: expected a table as well"),
        (["--explain", "main", "LS"], "expected a table, a row and a column"),
        (["--explain"], "got nothing"),
        (["--explain", "main", "OL", "ip"], "expected data to be one of LS, Moon"),
        (["--explain", "main", "LS", "iq"], "expected the column to be one of ip, "),
        (["table=transfer"], "expected results for table transfer, got none"),
        (["table=table_a1"], "expected results for table table_a1, got none"),
    ],
)
def test_what_cannot_be_shown_is_one_message(words, said, folder):
    assert said in message(folder, *words)


def test_a_folder_without_results_is_one_message(tmp_path):
    assert "expected results of cftrain train or" in message(tmp_path)
    assert "expected results of cftrain train or" in message(tmp_path, "folder=nosuch")


def test_results_of_an_older_format_are_one_message(folder):
    path = next((folder / "main" / "metrics").glob("*.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"cftrain_format": "1"}), path)
    assert "got format 1" in message(folder, "table=main")


@pytest.fixture
def evaluated_twice(folder):
    """The main grid's models of Moon were evaluated by another protocol as well."""
    store = Store(folder / "main")
    cells = store.cells()
    cells = cells[cells["data"] == "moons"].to_dict("records")
    metrics = [
        row
        for cell in cells
        for row in metric_rows(
            cell["cell"], "e", "ip", random_values(cell["seed"]), protocol="brief"
        )
    ]
    write_evaluation(store, "e", cells, protocol="brief", age=-1, metrics=metrics)
    return folder


def test_of_several_protocols_the_newest_is_shown_and_the_others_named(evaluated_twice):
    outcome = call("tables", f"folder={evaluated_twice}", "table=main")
    assert outcome.code == 0
    assert "evaluated by protocol brief" in " ".join(outcome.out.split())
    assert outcome.err.count("several protocols") == 1
    assert "protocol=ID shows another one (q)" in outcome.err
    everything = call("tables", f"folder={evaluated_twice}")
    assert everything.code == 0
    assert everything.err == outcome.err


def test_a_protocol_can_be_chosen(evaluated_twice, folder):
    """By the start of its id; the other one then need not be spoken of."""
    shown = printed(evaluated_twice, "table=main", "protocol=q")
    assert "evaluated by" not in shown
    other = call("tables", f"folder={folder}", "table=main", "protocol=brief")
    assert (other.code, other.err) == (0, "")
    assert "not evaluated" in other.out
    assert "expected the start of one of brief, q, got '12e3'" in message(
        folder, "table=main", "protocol=12e3"
    )


def test_a_baseline_that_is_missing_everywhere_is_one_message(tmp_path):
    alone = Pair(model={"ip": random_values(1)}, baseline=None)
    write_grid(tmp_path, [alone])
    assert "no baseline was trained" in message(tmp_path, "table=main")


def test_one_table_needs_neither_torch_nor_matplotlib(folder):
    code = f"""
import sys
from cftrain.cli import main
assert main(["tables", "folder={folder}", "table=main"]) == 0
heavy = {{"torch", "matplotlib", "sklearn", "scipy.stats"}} & set(sys.modules)
assert not heavy, heavy
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed(folder, "table=main")


def test_draws_are_shown_where_they_were_trained(folder):
    draws = [
        replace(each, setting={"data": {"draw_seed": each.seed}})
        for each in pairs(("ip", "ip_star", "validity"))
        if each.data == "moons"
    ]
    assert "expected results for table draws, got none" in message(
        folder, "table=draws"
    )
    write_grid(folder / "draws", draws, grid="draws")
    found = entries(folder, "draws")
    assert {data for data, _ in found} == {"Moon"}
    assert found["Moon", "ip_draws"]["note"] == "n=3 training seeds"
    # The same numbers under other names: the same mean over seeds.
    assert found["Moon", "ip_draws"]["value"] == found["Moon", "ip"]["value"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_latex_compiles(folder):
    body = printed(folder, "table=main", "format=latex")
    document = (
        "\\documentclass{article}\n\\usepackage{booktabs, longtable, siunitx}\n"
        f"\\begin{{document}}\n{body}\\end{{document}}\n"
    )
    (folder / "document.tex").write_text(document)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"],
        cwd=folder,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_other_results_is_empty(name, folder):
    """No table breaks on results that lack what it shows."""
    outcome = call("tables", f"folder={folder}", f"table={name}", cwd=folder)
    assert outcome.code == 0 or f"expected results for table {name}" in outcome.message
