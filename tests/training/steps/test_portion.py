"""What is laid out for many steps at once is what each step would gather."""

import pytest
import torch

from cftrain.data.sampling import training_rows
from cftrain.training.epoch import EpochCounterfactuals, Path
from cftrain.training.schedule import batches, groups
from cftrain.training.steps import portion as portion_module
from cftrain.training.steps.portion import portions
from tests.builders import FEATURES, blobs, integers, normal, streams

STACK, TUPLES = 3, 17


def drawn(*, path: bool) -> EpochCounterfactuals:
    rows = [normal(STACK, TUPLES, FEATURES, seed=seed) for seed in range(5)]
    found = normal(STACK, TUPLES, seed=6)
    return EpochCounterfactuals(
        nascent=rows[0],
        positive=rows[1],
        counterfactual=rows[2],
        nascent_label=integers(3, STACK, TUPLES, seed=1),
        weight=found + 2,
        target=integers(3, STACK, TUPLES, seed=2),
        ridge_share=found,
        margin=found + 1,
        path=Path(visited=rows[3], wanted=rows[4]) if path else None,
        mature_share=found[:, 0],
        search_steps=found[:, 0],
        broken_rows=found[:, 0],
    )


@pytest.mark.parametrize("most", [1, 300, 2**22])
@pytest.mark.parametrize("path", [False, True])
def test_every_step_has_its_own_rows(monkeypatch, path, most):
    """Steps of uneven sizes, in portions of any size."""
    monkeypatch.setattr(portion_module, "MOST_NUMBERS", most)
    rows = training_rows(blobs(), streams(STACK))
    order = rows.training.flip(1)
    bounds = batches(len(rows), 11)
    shares = groups(TUPLES, len(bounds))
    found, steps = drawn(path=path), []
    for each in portions(rows, order, found, bounds, shares):
        steps += list(zip(each.starts, each.by_step(), strict=True))
    assert [start for start, _ in steps] == [bound.start for bound in bounds]
    for (_, step), bound, share in zip(steps, bounds, shares, strict=True):
        kinds = (found.nascent, found.positive, found.counterfactual)
        expected = [rows.features(order[:, bound]), *(kind[:, share] for kind in kinds)]
        assert torch.equal(step.seen, torch.cat(expected, 1))
        assert torch.equal(step.observed_label, rows.labels(order[:, bound]))
        for name in ("nascent_label", "target", "ridge_share", "margin"):
            assert torch.equal(getattr(step, name), getattr(found, name)[:, share])
        if found.path is None:
            assert step.visited is step.wanted is None
        else:
            assert torch.equal(step.visited, found.path.visited[:, share])
            assert torch.equal(step.wanted, found.path.wanted[:, share])


def test_without_counterfactuals_there_are_observed_rows_alone():
    rows = training_rows(blobs(), streams(STACK))
    bounds = batches(len(rows), 20)
    (first, last) = portions(rows, rows.training, None, bounds, groups(0, len(bounds)))
    assert (len(first.starts), len(last.starts)) == (3, 1)
    for step in first.by_step():
        assert step.seen.shape == (STACK, 20, FEATURES)
        assert step.target.shape == step.margin.shape == (STACK, 0)
