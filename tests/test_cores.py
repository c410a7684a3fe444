"""Pieces of work that share the cores of one process."""

import threading

import pytest
import torch

from cftrain.cores import available, in_use, side_by_side
from cftrain.models.module import is_shareable, stack_of_one
from tests.builders import mlp


def test_without_more_cores_pieces_are_done_here_one_after_the_other():
    places = side_by_side(lambda piece: threading.get_ident(), [1, 2, 3])
    assert set(places) == {threading.get_ident()}


def test_pieces_are_done_at_once_and_come_back_in_their_order():
    meeting = threading.Barrier(2, timeout=30)

    def work(piece: int) -> int:
        meeting.wait()  # nobody gets past it alone
        return piece

    with in_use(2):
        assert side_by_side(work, [1, 2, 3, 4]) == [1, 2, 3, 4]


def test_cores_are_in_use_for_a_while_only():
    with in_use(2):
        pass
    here = threading.get_ident()
    assert side_by_side(lambda piece: threading.get_ident(), [1, 2]) == [here, here]


def test_what_a_piece_raises_is_raised():
    def work(piece: int) -> int:
        raise MemoryError(piece)

    with in_use(2), pytest.raises(MemoryError):
        side_by_side(work, [1, 2, 3])


def test_there_is_a_core():
    assert available() >= 1


class Keeping(torch.nn.Module):
    """Keeps its last input, as layers of others may."""

    def forward(self, x):
        self.last = x
        return x


def test_threads_share_layers_of_torch_and_of_ours_alone():
    assert is_shareable(mlp(2))
    linear = torch.nn.Linear(4, 2)
    assert not is_shareable(torch.nn.Sequential(Keeping(), linear))
    assert not is_shareable(stack_of_one(linear, torch.zeros(1, 4)))
    watched = torch.nn.Sequential(linear)
    watched.register_forward_hook(lambda *_: None)
    assert not is_shareable(watched)
    patched = torch.nn.Sequential(torch.nn.Linear(4, 2))
    patched[0].forward = Keeping().forward
    assert not is_shareable(patched)
