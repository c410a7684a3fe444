"""Texts from elsewhere are shown as texts, whatever signs are in them."""

import io
import json

import pandas as pd
import pytest
from tqdm import tqdm

from cftrain.commands.command_line.console import Console, usable_streams
from cftrain.errors import STEERING, ResultError, printable
from tests.console import TINY, call
from tests.summary.stores import cells, write_grid

COLOUR, TURNED, TITLE = "\x1b[31m", "\u202e", "\x9d0;mine\x07"
EVIL = f"a{COLOUR}b{TURNED}c{TITLE}d"
SHOWN = "a\\u001b[31mb\\u202ec\\u009d0;mine\\u0007d"


def steers(text: str) -> bool:
    return STEERING.search(text) is not None


def test_signs_that_steer_are_shown():
    assert printable(EVIL) == SHOWN
    assert not steers(SHOWN)


@pytest.mark.parametrize(
    "text", ["two\nlines\r\nand\ta tab", "±, ▲, é, שלום, 日本, 👩‍👧", "\\u001b"]
)
def test_other_signs_stay(text):
    assert printable(text) == text


def test_json_stays_json():
    values = {EVIL: [EVIL, "\x7f"]}
    assert json.loads(printable(json.dumps(values, ensure_ascii=False))) == values


def test_nothing_overwrites_what_was_said():
    stream = io.StringIO()
    Console(stream).write("weights are damaged\rweights are sound\n")
    assert stream.getvalue() == "weights are damaged\\u000dweights are sound\n"


def test_a_bar_is_still_drawn():
    drawn = []
    for wrapped in (False, True):
        stream = io.StringIO()
        with tqdm(total=3, file=Console(stream) if wrapped else stream) as bar:
            bar.bar_format = "{desc} {n_fmt}"
            bar.update(3)
        drawn.append(stream.getvalue())
    assert drawn[0] == drawn[1]
    assert "\r" in drawn[0]


def test_columns_and_levels_of_a_table_are_shown(tmp_path):
    rows = pd.DataFrame(
        {
            f"income{EVIL}": range(200),
            "job": [f"x{EVIL}", "y"] * 100,
            "repaid": [f"no{EVIL}", "yes"] * 100,
        }
    )
    rows.to_csv(tmp_path / "table.csv", index=False)
    words = ("data=table", "data.path=table.csv", "data.label=repaid", *TINY)
    sizes = ("schedule.batch_rows=16", "compare=none", "hydra.run.dir=run")
    found = call("train", *words, *sizes, cwd=tmp_path)
    assert found.code == 0, found
    assert SHOWN in found.err
    assert not steers(found.out + found.err)
    assert not steers((tmp_path / "run" / "log.txt").read_text())
    rows[::50].to_csv(tmp_path / "rows.csv", index=False)
    for form in ("text", "csv", "json"):
        words = ("explain", "run", "rows=rows.csv", f"format={form}")
        found = call(*words, cwd=tmp_path)
        assert found.code == 0, found
        assert SHOWN in found.out
        assert not steers(found.out + found.err)
    assert all(map(json.loads, found.out.splitlines()))
    rows.drop(columns="job").to_csv(tmp_path / "rows.csv", index=False)
    found = call("explain", "run", "rows=rows.csv", cwd=tmp_path)
    assert not steers(found.message)


def test_reasons_and_warnings_of_results_are_shown(tmp_path):
    rows = cells(["moons"], ["full", "vanilla"], [1])
    rows = [{**row, "status": "failed", "reason": EVIL} for row in rows]
    write_grid(tmp_path / f"run{EVIL}", rows)
    found = call("status", f"run{EVIL}", cwd=tmp_path)
    assert found.code == 0, found
    assert SHOWN in found.out
    assert not steers(found.out + found.err)
    found = call("explain", f"run{EVIL}", cwd=tmp_path)
    assert not steers(found.message)


def test_words_and_errors_are_shown(tmp_path):
    for words in ((EVIL,), ("train", f"experiment={EVIL}"), ("status", EVIL)):
        found = call(*words, cwd=tmp_path)
        assert not steers(found.message), words


def test_the_error_that_ends_a_command_is_shown(monkeypatch, tmp_path):
    from cftrain.commands import status

    def fail(words: list[str]) -> None:
        raise ResultError(EVIL)

    monkeypatch.setattr(status, "run", fail)
    assert call("status", cwd=tmp_path).message == SHOWN


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_signs_that_an_encoding_lacks_are_written_as_in_json(encoding, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding))
    usable_streams()
    values = ["±", "▲ é", "👩", "\udc80"]
    print(json.dumps(values, ensure_ascii=False), flush=True)
    assert json.loads(raw.getvalue().decode(encoding)) == values
