import os
import shutil
from hashlib import sha256

import pytest
import torch

from cftrain.errors import ResultError, WeightsError
from cftrain.results.weights import (
    content_digest,
    is_finite,
    read_weights,
    weights_path,
    write_weights,
)
from cftrain.results.weights_file import MOST_BYTES, MOST_HEADER_BYTES, weights_digest

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

    def full(path: object, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(ResultError, match=r"could not be written: .*No space"):
        write_weights(tmp_path, "a", {"weight": torch.ones(1)}, "{}")
    assert weights_path(tmp_path, "a").read_bytes() == before
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1


def test_the_checksum_is_that_of_the_file(tmp_path):
    digest = write_weights(tmp_path, "a", WEIGHTS, "{}")
    path = weights_path(tmp_path, "a")
    assert digest == sha256(path.read_bytes()).hexdigest()
    assert read_weights(tmp_path, "a", digest)[1] == "{}"


def test_other_numbers_of_the_same_shape_are_an_error(tmp_path):
    digest = write_weights(tmp_path, "a", WEIGHTS, "{}")
    path = weights_path(tmp_path, "a")
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    assert read_weights(tmp_path, "a")  # nothing else tells
    with pytest.raises(WeightsError, match="its checksum differs"):
        read_weights(tmp_path, "a", digest)


def test_weights_that_are_not_finite_are_an_error(tmp_path):
    write_weights(tmp_path, "a", {"bias": torch.tensor([1.0, torch.inf])}, "{}")
    with pytest.raises(WeightsError, match="expected finite weights, got others in bi"):
        read_weights(tmp_path, "a")


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.int8, torch.float8_e4m3fn, torch.complex64]
)
def test_any_type_can_be_asked_whether_it_is_finite(dtype):
    assert is_finite(torch.ones(2).to(dtype))


def test_imaginary_parts_are_numbers_too():
    assert not is_finite(torch.tensor([complex(0, torch.inf)]))


def test_a_pipe_is_no_file_with_weights(tmp_path):
    (tmp_path / "weights").mkdir()
    os.mkfifo(weights_path(tmp_path, "a"))
    with pytest.raises(WeightsError, match="got something else of that name"):
        read_weights(tmp_path, "a")


def test_a_file_too_large_is_not_read(tmp_path):
    write_weights(tmp_path, "a", WEIGHTS, "{}")
    with weights_path(tmp_path, "a").open("r+b") as file:
        file.truncate(MOST_BYTES + 1)  # a hole, which takes no place
    with pytest.raises(WeightsError, match="expected at most"):
        read_weights(tmp_path, "a")


def test_a_digest_of_tensors_knows_names_types_shapes_and_values():
    digest = content_digest(WEIGHTS)
    assert digest == content_digest(dict(reversed(WEIGHTS.items())))
    weight, bias = WEIGHTS["0.weight"], WEIGHTS["0.bias"]
    for other in (
        {"0.weight": weight, "1.bias": bias},
        {"0.weight": weight.view(3, 2), "0.bias": bias},
        {"0.weight": weight, "0.bias": bias.double()},
        {"0.weight": weight, "0.bias": bias + 1e-45},
    ):
        assert content_digest(other) != digest


def test_a_header_that_would_fill_the_memory_is_not_read(tmp_path):
    """It is JSON, of which a few bytes are an object of Python each."""
    weights_path(tmp_path, "a").parent.mkdir()
    length = (MOST_HEADER_BYTES + 1).to_bytes(8, "little")
    with weights_path(tmp_path, "a").open("wb") as file:
        file.write(length)
        file.truncate(MOST_HEADER_BYTES + 9)
    with pytest.raises(WeightsError, match="got a header of 16777217 bytes"):
        read_weights(tmp_path, "a")


def test_a_file_of_weights_that_is_too_long_has_no_digest(tmp_path):
    write_weights(tmp_path, "a", WEIGHTS, "{}")
    assert weights_digest(tmp_path, "a") is not None
    with weights_path(tmp_path, "a").open("r+b") as file:
        file.truncate(MOST_BYTES + 1)
    assert weights_digest(tmp_path, "a") is None
