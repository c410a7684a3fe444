"""Whatever is wrong is one message: what was expected and got, and nothing is done."""

import time
from pathlib import Path

import pytest

from tests.console import call, files
from tests.torture.bad_words import QUICK, TABLE, Bad
from tests.torture.wrong_values import ROOTS, batches, wrong_values

LONGEST_SECONDS = 20.0
"""Of the processor: the wall's depend on what else a machine does."""

FEWEST = 300


def kept(folder: Path) -> dict[str, bytes]:
    """The files of a folder but for locks, which say that nobody holds them."""
    return {
        name: content
        for name, content in files(folder).items()
        if Path(name).name != ".lock"
    }


def message(words: tuple[str, ...], folder: Path) -> str:
    """The one message of a refused command that has changed no file."""
    before, start = kept(folder), time.process_time()
    said = call(*words, cwd=folder, CFTRAIN_DATA=None).message
    assert time.process_time() - start < LONGEST_SECONDS
    assert kept(folder) == before
    return said


def check_words(bad: Bad, folder: Path) -> None:
    for name, content in bad.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    said = message(bad.words, folder)
    for text in bad.said:
        assert text in said, said


def check_values(root: int, folder: Path, parts: slice) -> None:
    """Every wrong value of a part is told, all of them in one message."""
    command, words, _ = ROOTS[root]
    first = (".",) if command in ("evaluate", "tables") else ()
    last = () if command == "tables" else (f"hydra.run.dir={folder}",)
    for batch in batches(wrong_values(root))[parts]:
        typed = tuple(each.word for each in batch)
        said = message((command, *first, *words, *last, *typed), folder)
        untold = [each.word for each in batch if not each.is_told(said)]
        assert not untold, said


@pytest.mark.parametrize("bad", QUICK, ids=lambda bad: bad.name)
def test_wrong_words_are_one_message(bad, tmp_path):
    check_words(bad, tmp_path)


@pytest.mark.parametrize("root", [0, len(ROOTS) - 1])
def test_some_wrong_values_are_told_together(root, tmp_path):
    check_values(root, tmp_path, slice(0, 1))


@pytest.mark.torture
@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
def test_every_wrong_word_and_file_is_one_message(bad, tmp_path):
    check_words(bad, tmp_path)


@pytest.mark.torture
@pytest.mark.parametrize("root", range(len(ROOTS)))
def test_every_wrong_value_of_every_field_is_told(root, tmp_path):
    check_values(root, tmp_path, slice(None))


@pytest.mark.torture
def test_there_are_as_many_bad_inputs_as_promised():
    words = {(bad.words, *bad.files.values()) for bad in TABLE}
    values = {
        (root, each.word) for root in range(len(ROOTS)) for each in wrong_values(root)
    }
    assert len(words) == len(TABLE) > 100
    assert len(words) + len(values) >= FEWEST
    assert {bad.words[0] for bad in TABLE} >= {
        "train",
        "grid",
        "evaluate",
        "status",
        "verify",
        "transfer",
        "tables",
        "figure",
        "data",
    }
