"""Shapes and types of all calls into `cftrain` are checked while the tests run."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings

from tests import typechecking

# Before the first import of cftrain.
jaxtyping.install_import_hook("cftrain", f"{typechecking.__name__}.checked")

from tests import builders  # noqa: E402

torch.set_num_threads(1)
settings.register_profile("cftrain", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("cftrain")

MARKERS = {
    "data": "needs the real tables in the folder $CFTRAIN_DATA",
    "slow": "takes more than a few seconds",
}


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
def dataset():
    """Three classes in four dimensions, float64."""
    return builders.blobs()


@pytest.fixture
def classifier():
    """A stack of three small networks for the dataset, float64."""
    return builders.mlp(3)
