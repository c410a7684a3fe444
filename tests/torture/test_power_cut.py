"""The power fails at any moment: what was finished stays, the rest is done again."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.console import call
from tests.torture.file_layer import Layer, patched
from tests.torture.power_cut import Disk, Image, passing, written
from tests.torture.undisturbed import COMMANDS, assert_undisturbed


@pytest.fixture(scope="module")
def cuts(tmp_path_factory) -> dict[str, tuple[Path, list[Image]]]:
    """For each command its undisturbed folder, and all that a cut could leave."""
    found = {}
    for name, words in COMMANDS.items():
        folder = tmp_path_factory.mktemp(name) / "run"
        with Disk(folder) as disk, patched(Layer(folder, after=disk.after)):
            outcome = call(*words(folder))
        assert outcome.code == 0, outcome.err
        found[name] = (folder, list(disk.images.values()))
    return found


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_file_is_no_folder_because_a_removed_folder_had_its_number(tmp_path):
    """Many file systems give a number that is free again at once."""

    def flush(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    folder, file = tmp_path / "folder", tmp_path / "file"
    with Disk(tmp_path) as disk, patched(Layer(tmp_path, after=disk.after)):
        folder.mkdir()
        flush(folder)
        folder.rmdir()
        file.write_bytes(b"content")
        flush(file)
        flush(tmp_path)
    assert disk.late() == {"file": b"content"}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_file_that_has_its_name_is_empty(cuts, command):
    _, images = cuts[command]
    assert len(images) > 20
    for image in images:
        empty = {n for n, content in image.items() if content == b"" and not passing(n)}
        assert empty == set()


@pytest.mark.parametrize(("command", "width"), [("train", 1), ("grid", 2)])
def test_what_is_listed_has_its_weights_and_numbers(cuts, command, width):
    folder, images = cuts[command]
    counts = {"cells": 0, "evaluations": 0}
    for image in images:
        parts = [name for name in image if name.startswith("cells/part")]
        counts["cells"] += len(parts)
        trained = sum(
            name.startswith("weights/") and "/." not in name for name in image
        )
        assert trained >= width * len(parts)
        for name in image:
            if name.startswith("evaluations/part"):
                counts["evaluations"] += 1
                assert name.replace("evaluations/", "metrics/") in image
    assert all(counts.values()), folder


@pytest.mark.torture
@pytest.mark.parametrize("command", COMMANDS)
def test_after_any_cut_the_same_command_completes(cuts, dead, command, tmp_path):
    whole, images = cuts[command]
    for number, image in enumerate(images):
        folder = tmp_path / str(number)
        written(image, folder, dead)
        again = call(*COMMANDS[command](folder))
        assert again.code == 0, (image.keys(), again.err)
        assert "warning" not in again.err, (image.keys(), again.err)
        assert_undisturbed(folder, whole)
