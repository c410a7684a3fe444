"""Which program made a result."""

import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cftrain


def provenance() -> dict[str, Any]:
    """Versions, revision and time, as the tables of results hold them."""
    return {
        "cftrain_version": cftrain.__version__,
        "torch_version": _torch_version(),
        "git_revision": git_revision(Path(cftrain.__file__).parent),
        "created": datetime.now(UTC),
    }


@cache
def git_revision(package: Path) -> str | None:
    """The commit of cftrain's own checkout, with `+` if it was changed, else None.

    A repository that encloses the environment into which cftrain was installed is not
    its own: that one tracks the package's files, directly below its root.
    """
    root = _git(package, "rev-parse", "--show-toplevel")
    if root is None or Path(root).resolve() != package.resolve().parent:
        return None
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    described = _git(
        package, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"
    )
    return described or None


def _git(folder: Path, *words: str) -> str | None:
    """What git answers; None if it fails or is not there."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True
        )
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


@cache
def _torch_version() -> str | None:
    try:
        return version("torch")
    except PackageNotFoundError:
        return None
