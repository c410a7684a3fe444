"""Bundles that describe a far larger model than the one whose weights they have."""

import json
import shutil

import pytest
from torch.overrides import TorchFunctionMode

from cftrain.bundle.reading import read_bundle
from cftrain.errors import WeightsError
from cftrain.training.allowance import LEAST, MAKING
from tests.bundle.sealing import change
from tests.console import in_time

MLP = {"_target_": "mlp", "name": "mlp", "activation": "relu"}
LENET = {
    "_target_": "lenet",
    "name": "lenet",
    "image": [2, 3],
    "input_channels": 1,
    "channels": [10**5, 10**5],
    "kernel": 3,
    "pooling": 1,
    "hidden": [],
    "activation": "relu",
}
WIDE = {**MLP, "hidden": [14_000, 14_000]}
LARGE = {
    "wide": WIDE,
    "wider than any memory": {**MLP, "hidden": [2**40, 2**40]},
    "wider than any number": {**MLP, "hidden": [2**63 - 1]},
    "deep": {**MLP, "hidden": [1] * 100_000},
    "channels": LENET,
    "members": {
        "_target_": "ensemble",
        "name": "ensemble",
        "members": 10**9,
        "member": {**MLP, "hidden": []},
    },
    "head": {
        "_target_": "counternet",
        "name": "counternet",
        "predictor": {**MLP, "hidden": [4]},
        "head": WIDE,
    },
}


class Made(TorchFunctionMode):
    """Counts the numbers of all tensors that are allocated."""

    numbers = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        if func in MAKING and not found.is_meta:
            self.numbers += found.numel()
        return found


@pytest.mark.parametrize("kind", LARGE)
def test_a_few_bytes_do_not_become_a_model_of_gigabytes(kind, bundle, tmp_path):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    runs = json.loads((copy / "model.json").read_text())["runs"]
    changed = {cell: {**run, "model": LARGE[kind]} for cell, run in runs.items()}
    change(copy, "model.json", runs=changed)
    expected = r"weights/\w+\.safetensors: expected the weights of the model that is de"
    with Made() as made, in_time(), pytest.raises(WeightsError, match=expected):
        read_bundle(copy, None)
    assert made.numbers < LEAST
