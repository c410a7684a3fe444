from pathlib import Path

import pytest

from cftrain.results.writing import replacing


def test_the_file_is_there_at_the_end_only(tmp_path):
    path = tmp_path / "deep" / "table.parquet"
    with replacing(path) as partial:
        partial.write_text("new")
        assert partial.suffix == ".parquet"
        assert partial.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def interrupted(path: Path) -> None:
    with replacing(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt


def test_the_first_error_is_the_one_that_is_raised(tmp_path):
    below_a_file = tmp_path / "file" / "table.csv"
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"), replacing(below_a_file):
        pass
