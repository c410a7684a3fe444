"""Shapes and types of calls into `cftrain` are checked while the tests run."""

import gc
import math
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings

from tests import typechecking

# Before the first import of cftrain.
jaxtyping.install_import_hook("cftrain", f"{typechecking.__name__}.checked")

from cftrain.config import names  # noqa: E402
from tests import builders  # noqa: E402

torch.set_num_threads(1)
settings.register_profile("cftrain", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("cftrain")

MARKERS = {
    "data": "needs the real tables in the folder $CFTRAIN_DATA",
    "slow": "takes more than a few seconds",
}

UNCHECKED = ("advice", "api", "bundle", "commands")
"""Folders of tests of words, files and messages, a third slower with the checks. What
they call has tests in folders of its own, where shapes and types are checked.
"""


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    skipped = pytest.mark.skip(reason="needs a CUDA device")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(skipped)


def pytest_collection_finish() -> None:
    """What is imported and collected stays: no need to look through it for garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Its fixtures, those of its module too, are checked as the test is."""
    before = jaxtyping.config.jaxtyping_disable
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    jaxtyping.config.update("jaxtyping_disable", before or folder in UNCHECKED)
    try:
        return (yield)
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Without type checks: for tests of our own checks of shapes, which come later."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


@pytest.fixture(scope="session", autouse=True)
def quiet() -> Iterator[None]:
    """Lines about progress depend on the time that something takes: there are none."""
    from cftrain.commands.command_line import progress

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "QUIET_SECONDS", math.inf)
        yield


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the real tables."""
    root = os.environ.get("CFTRAIN_DATA")
    if not root:
        pytest.skip("needs the real tables: set CFTRAIN_DATA to their folder")
    return Path(root)


@pytest.fixture
def registry(monkeypatch) -> dict[str, type]:
    """The registered names, which a test may change or add to."""
    names._import_all()  # not into the copy, which is forgotten with the test
    held = dict(names._CLASSES)
    monkeypatch.setattr(names, "_CLASSES", held)
    return held


@pytest.fixture
def dataset():
    """Three classes in four dimensions, float64."""
    return builders.blobs()


@pytest.fixture
def classifier():
    """A stack of three small networks for the dataset, float64."""
    return builders.mlp(3)
