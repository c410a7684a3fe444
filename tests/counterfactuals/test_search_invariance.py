"""What a search has to leave as it is, however it is stacked, cut up or shared."""

import threading
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cftrain.cores import in_use
from cftrain.counterfactuals import search as search_module
from cftrain.counterfactuals import working_set
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.space import Space
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from tests import builders
from tests.builders import generic, stacked
from tests.counterfactuals.searches import (
    FEATURES,
    MIXED,
    OUTCOMES,
    ROWS,
    STACK,
    Cliff,
    as_search,
    assert_same,
    factuals,
    limits,
    mixed_search,
    targets,
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stacked_is_alone_bit_for_bit(dtype):
    """Cells are walked one by one, in chunks that do not depend on the stack."""
    model = builders.mlp(STACK, dtype=dtype)
    kept = limits().to(dtype=dtype, device=torch.device("cpu"))
    x, target = factuals().to(dtype), targets()
    members = [as_search(s) for s in MIXED["ecco"]]
    whole = stacked(members, dtype)(model, x, target, constraints=kept)
    for cell, member in enumerate(members):
        here = slice(cell, cell + 1)
        alone = stacked([member], dtype)(
            frozen(model, here), x[here], target[here], constraints=kept
        )
        member_of_whole = {k: v[here] for k, v in whole.tensors().items()}
        assert_same(SearchResult(**member_of_whole), alone)


def test_hyperparameters_may_be_plain_numbers():
    member = as_search(MIXED["ecco"][0])
    arguments = builders.mlp(1), factuals()[:1], targets()[:1]
    assert_same(
        member(*arguments, constraints=limits()),
        stacked([member])(*arguments, constraints=limits()),
    )


def test_permuted_rows_give_permuted_results():
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(4))
    model, x, target = builders.mlp(STACK), factuals(), targets()
    expected = mixed_search()(model, x, target, constraints=limits())
    found = mixed_search()(model, x[:, order], target[:, order], constraints=limits())
    for name in OUTCOMES:
        torch.testing.assert_close(
            getattr(found, name), getattr(expected, name)[:, order], rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("numbers_in_a_chunk", [1, FEATURES * 5, 2**30])
def test_compaction_and_chunks_change_nothing(monkeypatch, share, numbers_in_a_chunk):
    x, target = factuals()[:, :7], targets()[:, :7]
    for model in (builders.mlp(STACK, scale=2.0), Cliff(STACK, 0.5)):
        expected = mixed_search()(model, x, target, constraints=limits())
        with monkeypatch.context() as changed:
            changed.setattr(search_module, "COMPACT_SHARE", share)
            changed.setattr(search_module, "CHUNK_NUMBERS", numbers_in_a_chunk)
            found = mixed_search()(model, x, target, constraints=limits())
        assert_same(found, expected, atol=1e-12)


@pytest.mark.parametrize("steps", [2, 5, 100])
def test_rows_that_have_stopped_may_wait_until_somebody_looks(monkeypatch, steps):
    arguments = builders.mlp(STACK, scale=2.0), factuals(), targets()
    expected = mixed_search()(*arguments, constraints=limits(), visits=True)
    monkeypatch.setitem(working_set.LOOKS, "cpu", steps)
    found = mixed_search()(*arguments, constraints=limits(), visits=True)
    assert_same(found, expected, atol=1e-12)
    torch.testing.assert_close(found.visited, expected.visited, rtol=0, atol=1e-12)


def test_threads_that_share_the_chunks_change_nothing(monkeypatch):
    monkeypatch.setattr(search_module, "CHUNK_NUMBERS", FEATURES * 2)
    arguments = builders.mlp(STACK, scale=2.0), factuals(), targets()
    streams = builders.streams(STACK)
    expected = mixed_search()(*arguments, constraints=limits(), streams=streams)
    with in_use(3):
        found = mixed_search()(*arguments, constraints=limits(), streams=streams)
    assert_same(found, expected)


def test_networks_of_others_are_asked_by_one_thread_alone(monkeypatch):
    monkeypatch.setattr(search_module, "CHUNK_NUMBERS", FEATURES * 2)
    asked = set()

    class Asked(Cliff):
        def forward(self, x):
            asked.add(threading.get_ident())
            return super().forward(x)

    with in_use(3):
        mixed_search()(Asked(STACK, 0.5), factuals(), targets(), constraints=limits())
    assert asked == {threading.get_ident()}


class Lending(Space):
    """A space of the rows themselves that keeps the gradients that it has passed on."""

    draws, shows_states, has_closed_form, learns = False, True, True, False

    def __init__(self) -> None:
        self.passed: list[tuple[Tensor, Tensor]] = []

    def pull_back(self, state: Tensor, by_rows: Tensor) -> Tensor:
        self.passed.append((by_rows, by_rows.clone()))
        return by_rows

    def fitted(self, rows, cache):
        return self

    def sharing(self, fitted):
        return self

    def encode(self, x, noise):
        return x

    def view(self, state, x):
        return state

    def move(self, state, step, x):
        return step


def test_gradients_that_a_space_has_passed_on_are_not_written_into():
    search, space = builders.search(generic()), Lending()
    lent = replace(search, generator=replace(search.generator, space=space))
    arguments = builders.mlp(STACK), factuals(), targets()
    found = lent(*arguments, constraints=limits())
    assert_same(found, search(*arguments, constraints=limits()))
    assert len(space.passed) > STACK
    for gradient, before in space.passed:
        assert torch.equal(gradient, before)


def test_what_goes_in_comes_out_and_is_not_changed():
    model, x, target = builders.mlp(STACK), factuals(), targets()
    before = x.clone(), target.clone(), [p.clone() for p in model.parameters()]
    found = mixed_search()(model, x, target, constraints=limits())
    assert torch.equal(x, before[0])
    assert torch.equal(target, before[1])
    for parameter, value in zip(model.parameters(), before[2], strict=True):
        assert torch.equal(parameter, value)
        assert parameter.grad is None
    assert torch.equal(found.factual, x)
    assert torch.equal(found.target, target)
    assert not any(values.requires_grad for values in found.tensors().values())


def test_searching_works_where_gradients_are_switched_off():
    arguments = builders.mlp(STACK), factuals(), targets()
    expected = mixed_search()(*arguments, constraints=limits())
    with torch.no_grad():
        assert_same(mixed_search()(*arguments, constraints=limits()), expected)


# --- visited states ------------------------------------------------------------------


def visiting(model, x, target, **options) -> SearchResult:
    streams = [Stream(cell) for cell in range(STACK)]
    return mixed_search()(
        model, x, target, constraints=limits(), streams=streams, visits=True, **options
    )


def test_keeping_a_visited_state_changes_nothing_else():
    arguments = builders.mlp(STACK), factuals(), targets()
    found = visiting(*arguments)
    assert_same(found, mixed_search()(*arguments, constraints=limits()))


def test_the_visited_state_does_not_depend_on_compaction(monkeypatch):
    model, x, target = builders.mlp(STACK), factuals(), targets()
    visited = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(search_module, "COMPACT_SHARE", share)
        visited.append(visiting(model, x, target).visited)
    assert torch.equal(*visited)


def test_visited_states_are_those_of_the_path():
    """States of the same search with fewer steps, none of them the last one."""
    model, x, target = builders.mlp(1), factuals()[:1], targets()[:1]
    member = replace(MIXED["ecco"][0], max_steps=6, decays=False)
    states = [
        stacked([as_search(replace(member, max_steps=steps))])(
            model, x, target, constraints=limits()
        ).counterfactual
        if steps
        else x
        for steps in range(6)
    ]
    found = stacked([as_search(member)])(
        model, x, target, constraints=limits(), streams=[Stream(0)], visits=True
    )
    places = []
    for row in range(x.shape[1]):
        gaps = [(s[0, row] - found.visited[0, row]).abs().max() for s in states]
        place = int(torch.stack(gaps).argmin())
        assert gaps[place] == 0
        assert place <= max(0, int(found.steps[0, row]) - 1)
        places.append(place)
    assert len(set(places)) > 2
