"""What `import cftrain` gives: few names, and nothing that is slow to load."""

import subprocess
import sys

import pytest

import cftrain
from tests.console import ROOT

HEAVY = ("torch", "pandas", "numpy", "hydra", "omegaconf", "pyarrow", "sklearn")


def test_nothing_heavy_is_imported_with_the_package():
    told = f"import cftrain, sys; print(set({HEAVY!r}) & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", told],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", cftrain.__all__)
def test_a_public_name_is_there_and_documented(name):
    found = getattr(cftrain, name)
    assert found.__name__ == name
    assert len(found.__doc__) > 30
    assert name in dir(cftrain)


def test_another_name_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = cftrain.trian
