"""Damaged files of weights: a message, or the numbers that were written."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cftrain.errors import WeightsError
from cftrain.results.weights import read_weights, weights_path, write_weights
from cftrain.training.checkpoint import checkpoint_of

WEIGHTS = {"0.weight": torch.arange(6.0).view(2, 3), "0.bias": torch.zeros(2)}
MUTATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.floats(0, 1), st.integers(0, 7)),
        st.tuples(st.just("byte"), st.floats(0, 1), st.integers(0, 255)),
        st.tuples(st.just("cut"), st.floats(0, 1), st.integers(1, 64)),
        st.tuples(st.just("insert"), st.floats(0, 1), st.integers(0, 255)),
        st.tuples(st.just("repeat"), st.floats(0, 1), st.integers(1, 64)),
    ),
    min_size=1,
    max_size=4,
)
Mutations = list[tuple[str, float, int]]


def mutated(content: bytes, mutations: Mutations) -> bytes:
    """The bytes with some of them changed, one after the other."""
    for kind, share, value in mutations:
        place = min(int(share * len(content)), max(0, len(content) - 1))
        head, tail = content[:place], content[place:]
        if kind == "flip" and tail:
            content = head + bytes([tail[0] ^ (1 << value)]) + tail[1:]
        elif kind == "byte" and tail:
            content = head + bytes([value]) + tail[1:]
        elif kind == "cut":
            content = head + tail[value:]
        elif kind == "insert":
            content = head + bytes([value]) + tail
        elif kind == "repeat":
            content = head + tail[:value] + tail
    return content


def weights_are_as_written_or_refused(folder: Path, mutations: Mutations) -> None:
    digest = write_weights(folder, "a", WEIGHTS, "{}")
    path = weights_path(folder, "a")
    content = mutated(path.read_bytes(), mutations)
    path.write_bytes(content)
    with suppress(WeightsError):
        found, codec = read_weights(folder, "a", digest)
        assert codec == "{}"
        assert found.keys() == WEIGHTS.keys()
        assert all(torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS)
    with suppress(WeightsError):  # a file whose checksum nobody knows
        read_weights(folder, "a")


def a_checkpoint_is_as_saved_or_discarded(folder: Path, mutations: Mutations) -> None:
    checkpoint = checkpoint_of(folder, "stack", ("abc",))
    checkpoint.save(WEIGHTS)
    checkpoint.path.write_bytes(mutated(checkpoint.path.read_bytes(), mutations))
    like = {name: torch.zeros_like(value) for name, value in WEIGHTS.items()}
    found = checkpoint.load(like, growing={})
    assert found == {} or all(torch.equal(found[n], WEIGHTS[n]) for n in WEIGHTS)


CHECKS = (weights_are_as_written_or_refused, a_checkpoint_is_as_saved_or_discarded)
FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=60, suppress_health_check=FIXTURES)
@given(mutations=MUTATIONS)
def test_some_mutations(
    check: Callable[[Path, Mutations], None], tmp_path, mutations
) -> None:
    check(tmp_path, mutations)


@pytest.mark.torture
@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=5000, suppress_health_check=FIXTURES)
@given(mutations=MUTATIONS)
def test_many_mutations(
    check: Callable[[Path, Mutations], None], tmp_path, mutations
) -> None:
    check(tmp_path, mutations)
