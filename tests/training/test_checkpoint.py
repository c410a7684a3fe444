import pytest
import torch
from safetensors.torch import save_file

from cftrain.errors import ResultError
from cftrain.training.checkpoint import Checkpoint
from tests.builders import normal

STATE = {"weights": normal(2, 5), "history": normal(1, 2, 3, seed=1)}


@pytest.fixture
def checkpoint(tmp_path) -> Checkpoint:
    return Checkpoint(path=tmp_path / "deep" / "stack.safetensors", owner="abc")


def files(checkpoint: Checkpoint) -> list[str]:
    return sorted(path.name for path in checkpoint.path.parent.iterdir())


def test_what_is_saved_is_loaded(checkpoint):
    assert checkpoint.load() is None
    checkpoint.save(STATE)
    found = checkpoint.load()
    assert found.keys() == STATE.keys()
    for name, value in STATE.items():
        assert torch.equal(found[name], value)
        assert found[name].dtype == value.dtype
    assert files(checkpoint) == ["stack.safetensors"]


def test_views_are_saved_by_value(checkpoint):
    checkpoint.save({"weights": STATE["weights"].T, "part": STATE["weights"][:, 1:3]})
    found = checkpoint.load()
    assert torch.equal(found["weights"], STATE["weights"].T)
    assert torch.equal(found["part"], STATE["weights"][:, 1:3])


def test_a_later_save_replaces_an_earlier_one(checkpoint):
    checkpoint.save(STATE)
    checkpoint.save({"weights": normal(1, 1)})
    assert checkpoint.load().keys() == {"weights"}


def test_a_failed_save_leaves_the_old_file_and_no_other(checkpoint, monkeypatch):
    checkpoint.save(STATE)
    before = checkpoint.path.read_bytes()

    def full(state, path, metadata):
        path.write_bytes(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="no space left"):
        checkpoint.save(STATE)
    assert checkpoint.path.read_bytes() == before
    assert files(checkpoint) == ["stack.safetensors"]


def test_a_checkpoint_can_be_removed_also_twice(checkpoint):
    checkpoint.save(STATE)
    checkpoint.remove()
    assert checkpoint.load() is None
    checkpoint.remove()


def test_a_checkpoint_of_other_runs_is_refused_and_kept(checkpoint):
    checkpoint.save(STATE)
    before = checkpoint.path.read_bytes()
    other = Checkpoint(path=checkpoint.path, owner="xyz")
    with pytest.raises(
        ResultError, match=r"expected a checkpoint of stack xyz.*got.*abc"
    ):
        other.load()
    assert checkpoint.path.read_bytes() == before


@pytest.mark.parametrize("size", [0, 1, 8, 40, 0.5, -1])
def test_a_truncated_checkpoint_is_refused_and_kept(checkpoint, size):
    checkpoint.save(STATE)
    whole = checkpoint.path.read_bytes()
    stop = int(size * len(whole)) if isinstance(size, float) else size
    checkpoint.path.write_bytes(whole[:stop])
    with pytest.raises(ResultError, match="expected a readable checkpoint, got"):
        checkpoint.load()
    assert checkpoint.path.read_bytes() == whole[:stop]


@pytest.mark.parametrize("content", [b"\0" * 100, b"text, not tensors", b"\xff" * 4096])
def test_a_file_that_is_no_checkpoint_is_refused_and_kept(checkpoint, content):
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_bytes(content)
    with pytest.raises(ResultError, match="expected a readable checkpoint, got"):
        checkpoint.load()
    assert checkpoint.path.read_bytes() == content


def test_tensors_without_a_format_are_refused(checkpoint):
    checkpoint.path.parent.mkdir()
    save_file(STATE, checkpoint.path)
    with pytest.raises(ResultError, match="expected a checkpoint of stack abc"):
        checkpoint.load()
