import math

import pytest
import torch

from cftrain.evaluation.individuals import draw_individuals
from cftrain.evaluation.transfer import transferred
from cftrain.models.stack_slicing import frozen, predict
from tests.builders import blobs, mlp, streams
from tests.evaluation.individuals import protocol


def test_shares_are_those_of_a_plain_count():
    data, classifier, made = blobs(rows=90), mlp(3, scale=2.0), protocol()
    found = list(transferred(classifier, data, made, streams=streams(3)))
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    assert [(t.cell, t.other) for t in found] == pairs * len(made.energy_weights)
    for number, (weight, search) in enumerate(made.searches()):
        drawn = [stream.child("evaluation", number) for stream in streams(3)]
        people = draw_individuals(classifier, data, made, search, streams=drawn)
        for t in (t for t in found if t.energy_weight == weight):
            valid = people.valid[t.cell]
            rows = people.found.counterfactual[t.cell, valid].unsqueeze(0)
            other = predict(frozen(classifier, [t.other]), rows)[0]
            kept = (other == people.found.target[t.cell, valid]).double()
            assert t.rows == int(valid.sum())
            assert t.value == pytest.approx(kept.mean().item())


def test_equal_models_agree_on_everything():
    data = blobs(rows=90)
    twice = frozen(mlp(1, scale=2.0), [0, 0])
    for t in transferred(twice, data, protocol(), streams=streams(2)):
        assert t.value == 1


def test_without_valid_counterfactuals_there_is_no_share():
    data, classifier = blobs(rows=90), mlp(2)
    with torch.no_grad():
        dict(classifier.named_parameters())["2.weight"].zero_()
        dict(classifier.named_parameters())["2.bias"].copy_(
            torch.tensor([[9.0, 0, 0]] * 2, dtype=torch.float64)
        )
    for t in transferred(classifier, data, protocol(), streams=streams(2)):
        assert (math.isnan(t.value), t.rows) == (True, 0)
