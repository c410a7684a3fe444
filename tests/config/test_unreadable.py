"""What is in a folder of configuration and is no file of configuration."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cftrain.config.trust import MOST_BYTES
from tests.console import TINY_MOONS, call, files, in_time


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def long(path: Path) -> None:
    """Without a byte on the disk."""
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)


NO_FILE = "got no such file"
KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (os.mkfifo, NO_FILE),
    "device": (endless, NO_FILE),
    "folder": (Path.mkdir, NO_FILE),
    "long": (long, f"mine.yaml: expected at most {MOST_BYTES} bytes, got"),
}
WAYS = {
    "chosen": ("train", "experiment=mine", "--config-dir", "conf"),
    "trusted": ("train", "experiment=mine", "--config-dir=conf", "--trust-config"),
    "searched": ("train", "experiment=mine", "hydra.searchpath=[file://HERE/conf]"),
    "shown": ("train", "experiment=mine", "--config-dir=conf", "--cfg", "job"),
    "a grid's": ("grid", "experiment=mine", "--config-dir=conf", "--dry-run"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_file_is_refused(way, kind, tmp_path):
    make, said = KINDS[kind]
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    make(tmp_path / "conf" / "experiment" / "mine.yaml")
    words = [word.replace("HERE", str(tmp_path)) for word in WAYS[way]]
    with in_time():
        assert said in call(*words, cwd=tmp_path).message


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_data_of_a_folder_of_configuration_are_files(kind, tmp_path):
    make, said = KINDS[kind]
    (tmp_path / "conf" / "data").mkdir(parents=True)
    make(tmp_path / "conf" / "data" / "mine.yaml")
    for words in (("data", "fetch", "mine"), ("data", "list")):
        with in_time():
            told = call(*words, "--config-dir=conf", cwd=tmp_path, CFTRAIN_DATA=None)
            assert said in told.message


def test_what_is_beside_a_broken_file_is_not_waited_for(tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text("a: [")
    os.mkfifo(tmp_path / "conf" / "a.yaml")
    endless(tmp_path / "conf" / "b.yaml")
    words = ("train", *TINY_MOONS, "experiment=mine", "--config-dir", "conf")
    with in_time():
        said = call(*words, cwd=tmp_path).message
    assert "mine.yaml: expected a YAML file of configuration, got" in said


def test_a_pipe_that_nobody_chooses_disturbs_nobody(tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    os.mkfifo(tmp_path / "conf" / "experiment" / "mine.yaml")
    with in_time():
        done = call("train", "--config-dir=conf", "--cfg=job", cwd=tmp_path)
    assert done.code == 0, done


@pytest.mark.parametrize(
    "words",
    [
        ("train", "data=table", "data.path=pipe.csv", "data.label=y"),
        ("data", "describe", "pipe.csv"),
    ],
)
def test_a_pipe_is_no_table(words, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with in_time():
        assert "which is no plain file" in call(*words, cwd=tmp_path).message
    assert files(tmp_path) == {}
