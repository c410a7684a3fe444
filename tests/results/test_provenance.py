"""The revision is that of cftrain's own checkout, or none."""

import re
import subprocess
from pathlib import Path

import pytest

from cftrain.results.provenance import git_revision, provenance

SOURCE = "VERSION = 1\n"


def git(folder: Path, *words: str) -> str:
    author = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(
        ["git", "-C", str(folder), *author, *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def package_at(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(SOURCE)
    return folder


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """Some repository with a commit, and no one else's configuration."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    (root / "analysis.txt").write_text("mine\n")
    git(root, "add", "analysis.txt")
    git(root, "commit", "-q", "-m", "mine")
    git_revision.cache_clear()
    return root


def committed(repository: Path) -> Path:
    """The package in a checkout of its own."""
    package = package_at(repository / "cftrain")
    git(repository, "add", "cftrain")
    git(repository, "commit", "-q", "-m", "package")
    return package


def test_an_own_checkout_gives_its_commit(repository):
    package = committed(repository)
    found = git_revision(package)
    assert found == git(repository, "rev-parse", "HEAD")
    assert re.fullmatch("[0-9a-f]{40}", found)


def test_tags_do_not_take_the_place_of_the_commit(repository):
    package = committed(repository)
    git(repository, "tag", "-a", "v1", "-m", "one")
    assert git_revision(package) == git(repository, "rev-parse", "HEAD")


def test_a_changed_checkout_has_a_plus(repository):
    package = committed(repository)
    (package / "__init__.py").write_text("VERSION = 2\n")
    assert git_revision(package) == git(repository, "rev-parse", "HEAD") + "+"


@pytest.mark.parametrize(
    "place", ["cftrain", ".venv/lib/python3/site-packages/cftrain", "vendor/cftrain"]
)
def test_a_repository_that_encloses_an_installation_is_not_its_own(repository, place):
    assert git_revision(package_at(repository / place)) is None


def test_a_repository_that_holds_a_copy_further_down_is_not_its_own(repository):
    package = package_at(repository / "vendor" / "cftrain")
    git(repository, "add", "vendor")
    git(repository, "commit", "-q", "-m", "copied")
    assert git_revision(package) is None


def test_without_a_repository_or_without_git_there_is_none(
    repository, tmp_path, monkeypatch
):
    assert git_revision(package_at(tmp_path / "elsewhere" / "cftrain")) is None
    package = committed(repository)
    monkeypatch.setenv("PATH", "")
    assert git_revision(package) is None


def test_versions_and_time_are_told():
    told = provenance()
    assert set(told) == {"cftrain_version", "torch_version", "git_revision", "created"}
    assert told["created"].tzinfo is not None
