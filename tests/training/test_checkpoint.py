import shutil

import pytest
import torch
from safetensors.torch import save_file

from cftrain.errors import ResultError
from cftrain.training.checkpoint import (
    FOLDER,
    Checkpoint,
    checkpoint_of,
    checkpoints,
)
from tests.builders import normal

STATE = {"weights": normal(2, 5), "history": normal(1, 2, 3, seed=1)}
LIKE = {"weights": torch.zeros(2, 5)}
GROWING = {"history": torch.zeros(0, 2, 3)}
CELLS = ("abc", "def")


@pytest.fixture
def checkpoint(tmp_path) -> Checkpoint:
    return checkpoint_of(tmp_path, "stack", CELLS)


def load(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    return checkpoint.load(LIKE, growing=GROWING)


def files(checkpoint: Checkpoint) -> list[str]:
    return sorted(path.name for path in checkpoint.path.parent.iterdir())


def test_what_is_saved_is_loaded(checkpoint):
    assert load(checkpoint) == {}
    checkpoint.save(STATE)
    found = load(checkpoint)
    assert found.keys() == STATE.keys()
    for name, value in STATE.items():
        assert torch.equal(found[name], value)
        assert found[name].dtype == value.dtype
    assert files(checkpoint) == ["stack.safetensors"]


def test_a_history_may_have_any_length(checkpoint):
    for epochs in (0, 1, 7):
        checkpoint.save({**STATE, "history": normal(epochs, 2, 3)})
        assert len(load(checkpoint)["history"]) == epochs


def test_views_are_saved_by_value(checkpoint):
    checkpoint.save({"weights": STATE["weights"].T, "history": STATE["history"]})
    found = checkpoint.load({"weights": torch.zeros(5, 2)}, growing=GROWING)
    assert torch.equal(found["weights"], STATE["weights"].T)


def test_a_later_save_replaces_an_earlier_one(checkpoint):
    checkpoint.save(STATE)
    checkpoint.save({**STATE, "weights": STATE["weights"] + 1})
    assert torch.equal(load(checkpoint)["weights"], STATE["weights"] + 1)


def test_a_failed_save_leaves_the_old_file_and_no_other(checkpoint, monkeypatch):
    checkpoint.save(STATE)
    before = checkpoint.path.read_bytes()

    def full(state, path, metadata):
        path.write_bytes(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(ResultError, match="no space left"):
        checkpoint.save(STATE)
    assert checkpoint.path.read_bytes() == before
    assert files(checkpoint) == ["stack.safetensors"]


def test_a_checkpoint_can_be_removed_also_twice(checkpoint):
    checkpoint.save(STATE)
    checkpoint.remove()
    assert load(checkpoint) == {}
    checkpoint.remove()


def assert_discarded(checkpoint: Checkpoint, said: str, capsys) -> None:
    """There is nothing to go on from, one warning says why, and the file is gone."""
    assert load(checkpoint) == {}
    warning = capsys.readouterr().err
    assert warning.startswith(f"cftrain: warning: {checkpoint.path}: ")
    assert said in warning
    assert warning.endswith("; the stack is trained from the start\n")
    assert warning.count("\n") == 1
    assert not checkpoint.path.exists()


@pytest.mark.parametrize("others", [("xyz",), ("def", "abc"), ("abc",)])
def test_a_checkpoint_of_other_cells_is_discarded(checkpoint, others, capsys):
    Checkpoint(path=checkpoint.path, cells=others).save(STATE)
    assert_discarded(checkpoint, f"got {others}", capsys)


@pytest.mark.parametrize("size", [0, 1, 8, 40, 0.5, -1])
def test_a_truncated_checkpoint_is_discarded(checkpoint, size, capsys):
    checkpoint.save(STATE)
    whole = checkpoint.path.read_bytes()
    stop = int(size * len(whole)) if isinstance(size, float) else size
    checkpoint.path.write_bytes(whole[:stop])
    assert_discarded(checkpoint, "expected a readable checkpoint, got", capsys)


@pytest.mark.parametrize("content", [b"\0" * 100, b"text, not tensors", b"\xff" * 4096])
def test_a_file_that_is_no_checkpoint_is_discarded(checkpoint, content, capsys):
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_bytes(content)
    assert_discarded(checkpoint, "expected a readable checkpoint, got", capsys)


@pytest.mark.parametrize("metadata", [None, {"format": "cftrain-checkpoint-1"}])
def test_a_checkpoint_of_another_format_is_discarded(checkpoint, metadata, capsys):
    checkpoint.path.parent.mkdir()
    save_file(STATE, checkpoint.path, metadata=metadata)
    assert_discarded(checkpoint, "not cftrain-checkpoint-2", capsys)


@pytest.mark.parametrize("cells", ["no json", "7", None])
def test_a_checkpoint_without_its_cells_is_discarded(checkpoint, cells, capsys):
    checkpoint.path.parent.mkdir()
    metadata = {"format": "cftrain-checkpoint-2"}
    if cells is not None:
        metadata["cells"] = cells
    save_file(STATE, checkpoint.path, metadata=metadata)
    assert_discarded(checkpoint, "expected a readable checkpoint, got", capsys)


@pytest.mark.parametrize(
    "changed",
    [
        {"weights": normal(2, 6)},
        {"history": normal(1, 2, 4)},
        {"more": normal(1)},
        {"weights": None},
        {"history": None},
    ],
)
def test_tensors_that_do_not_fit_are_discarded(checkpoint, changed, capsys):
    state = {**STATE, **changed}
    checkpoint.save({name: value for name, value in state.items() if value is not None})
    assert_discarded(checkpoint, "expected tensors", capsys)


def test_a_part_of_a_stack_goes_on_with_its_own_numbers(checkpoint, tmp_path):
    wide = {"weights": normal(3, 5), "history": normal(4, 3, 3, seed=1)}
    Checkpoint(path=checkpoint.path, cells=("abc", "def", "ghi")).save(wide)
    part = checkpoint_of(tmp_path, "part", ("ghi", "abc"), ["none", "stack"])
    assert part.epochs == 4
    found = load(part)
    assert torch.equal(found["weights"], wide["weights"][[2, 0]])
    assert torch.equal(found["history"], wide["history"][:, [2, 0]])
    part.save({**STATE, "history": normal(6, 2, 3)})
    assert part.epochs == 6, "its own counts as soon as there is one"
    assert torch.equal(load(part)["weights"], STATE["weights"])
    assert part.path.exists()
    assert checkpoint.path.exists()


def test_stacks_without_all_the_cells_serve_nobody(checkpoint, tmp_path, capsys):
    checkpoint.save(STATE)
    part = checkpoint_of(tmp_path, "part", ("abc", "xyz"), ["stack"])
    assert part.epochs == 0
    assert load(part) == {}
    assert checkpoint.path.exists()
    assert capsys.readouterr().err == ""


def test_all_readable_checkpoints_of_a_folder_are_found(checkpoint, tmp_path, capsys):
    assert list(checkpoints(tmp_path)) == []
    checkpoint.save(STATE)
    other = checkpoint_of(tmp_path, "other", ["xyz"])
    other.save(STATE)
    (tmp_path / FOLDER / "broken.safetensors").write_bytes(b"text")
    shutil.copy(other.path, tmp_path / FOLDER / ".temporary.safetensors")
    assert list(checkpoints(tmp_path)) == [other, checkpoint]
    assert "broken.safetensors: could not be read" in capsys.readouterr().err
    assert files(checkpoint) == [
        ".temporary.safetensors",
        "other.safetensors",
        "stack.safetensors",
    ]


def test_a_bit_that_flipped_among_the_numbers_is_discarded(checkpoint, capsys):
    checkpoint.save(STATE)
    content = bytearray(checkpoint.path.read_bytes())
    content[-5] ^= 1
    checkpoint.path.write_bytes(content)
    assert_discarded(checkpoint, "expected what was saved, got other numbers", capsys)
