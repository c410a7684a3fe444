"""A trained folder and a bundle of it, made once for all tests of bundles."""

from pathlib import Path

import pytest

from tests.advice.lent import trained
from tests.bundle.sealing import export


@pytest.fixture(scope="session")
def lent(tmp_path_factory) -> Path:
    """A folder with two trained seeds, run from beside its table."""
    return trained(tmp_path_factory.mktemp("lent"))


@pytest.fixture(scope="session")
def bundle(lent) -> Path:
    """A bundle that no test changes."""
    return export(lent, "bundle")
