import shutil

import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError

from cftrain.errors import ResultError
from cftrain.results.weights import read_weights, weights_path, write_weights

WEIGHTS = {"0.weight": torch.arange(6.0).view(2, 3), "0.bias": torch.zeros(2)}


def test_what_is_written_is_read(tmp_path):
    write_weights(tmp_path, "a", WEIGHTS, '{"codec": 1}')
    found, codec = read_weights(tmp_path, "a")
    assert codec == '{"codec": 1}'
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS)


def test_views_are_written_by_value(tmp_path):
    write_weights(tmp_path, "a", {"weight": WEIGHTS["0.weight"].T}, "{}")
    found, _ = read_weights(tmp_path, "a")
    assert torch.equal(found["weight"], WEIGHTS["0.weight"].T)


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "text"])
def test_weights_that_cannot_be_read_are_an_error_with_their_path(tmp_path, damage):
    write_weights(tmp_path, "a", WEIGHTS, "{}")
    path = weights_path(tmp_path, "a")
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        rest = {"empty": b"", "truncated": whole[:-4], "text": b"no weights"}
        path.write_bytes(rest[damage])
    with pytest.raises(ResultError) as caught:
        read_weights(tmp_path, "a")
    assert str(caught.value).startswith(f"{path}: expected the weights of a cell, got")


def test_weights_of_another_cell_are_an_error_with_their_path(tmp_path):
    write_weights(tmp_path, "a", WEIGHTS, "{}")
    path = weights_path(tmp_path, "b")
    shutil.copy(weights_path(tmp_path, "a"), path)
    with pytest.raises(ResultError) as caught:
        read_weights(tmp_path, "b")
    assert str(caught.value) == (
        f"{path}: expected the weights of cell b, got those of a"
    )


def test_a_full_disk_leaves_the_older_weights(tmp_path, monkeypatch):
    write_weights(tmp_path, "a", WEIGHTS, "{}")
    before = weights_path(tmp_path, "a").read_bytes()

    def full(tensors: object, path: object, **_: object) -> None:
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(ResultError, match=r"could not be written: .*No space"):
        write_weights(tmp_path, "a", {"weight": torch.ones(1)}, "{}")
    assert weights_path(tmp_path, "a").read_bytes() == before
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1
