import os

import pytest

from cftrain.errors import ResultError
from cftrain.results.folders import (
    refuse_links,
    refuse_special,
    refuse_unfolding,
    regular_bytes,
)


def test_links_that_lead_out_are_refused(tmp_path):
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (home / "inner").mkdir()
    (home / "fine").symlink_to("inner")
    refuse_links(home)
    (home / "out").symlink_to(outside)
    with pytest.raises(ResultError, match="expected results inside their folder"):
        refuse_links(home)


def test_a_folder_that_is_reached_by_a_link_is_fine(tmp_path):
    (tmp_path / "home" / "weights").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "home")
    refuse_links(tmp_path / "link")


def test_links_that_lead_nowhere_yet_are_refused(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "weights").symlink_to(tmp_path / "later")
    with pytest.raises(ResultError):
        refuse_links(tmp_path / "home")


def test_further_down_no_folder_leads_out(tmp_path):
    """A logger makes files in folders of its own; weights may lie elsewhere."""
    logged, outside = tmp_path / "home" / "tensorboard", tmp_path / "outside"
    logged.mkdir(parents=True)
    outside.mkdir()
    (outside / "a").touch()
    (logged / "weights").symlink_to(outside / "a")
    refuse_links(tmp_path / "home")
    (logged / "up").symlink_to("..")
    refuse_links(tmp_path / "home")
    (logged / "moons-abc").symlink_to(outside)
    with pytest.raises(ResultError, match="moons-abc: expected results inside"):
        refuse_links(tmp_path / "home")


def test_only_files_are_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert regular_bytes(tmp_path / "a", 3) == b"abc"
    with pytest.raises(OSError, match="expected at most 2 bytes, got 3"):
        regular_bytes(tmp_path / "a", 2)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="got something else"):
            refuse_special(path)


def test_rows_have_some_bytes():
    refuse_unfolding(1000, 1_000_000)
    with pytest.raises(OSError, match="expected at most 1100000 rows"):
        refuse_unfolding(1000, 1_100_001)
