"""Commands that write into folders of results leave exported models as they are."""

import shutil

import pytest

from cftrain.bundle.reading import read_bundle
from tests.console import TINY_MOONS, call, files


@pytest.mark.parametrize("command", ["transfer", "evaluate", "train", "grid"])
def test_a_bundle_that_was_taken_for_results_can_still_be_used(
    command, bundle, tmp_path
):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    before = files(copy)
    words = {
        "transfer": [str(copy)],
        "evaluate": [str(copy)],
        "train": [*TINY_MOONS, f"hydra.run.dir={copy}"],
        "grid": ["grid=single", *TINY_MOONS, f"hydra.run.dir={copy}"],
    }
    done = call(command, *words[command])
    assert done.code == 2, done
    assert done.err.startswith(f"cftrain: {copy}: expected ")
    assert files(copy) == before
    read_bundle(copy, None)
