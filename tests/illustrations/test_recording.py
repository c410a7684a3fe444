"""What is recorded of a search, and that recording changes nothing."""

import pytest
import torch

from cftrain.illustrations.recording import record
from tests import builders
from tests.builders import CLASSES, FEATURES, integers, normal
from tests.contracts.configured import names, run_with

ROWS = 40


@pytest.mark.parametrize("name", names("generator"))
def test_paths_go_from_the_factual_to_the_counterfactual(name, tmp_path):
    """Float32, as configured networks of generators are."""
    rows = builders.blobs(dtype=torch.float32).features
    generator = run_with("generator", name).generator.fitted(rows, tmp_path)
    search = builders.search(generator, step_size=0.3, threshold=0.7)
    limits = builders.constraints(["free", "increase", "free", "free"], -4, 4)
    limits = limits.to(dtype=torch.float32, device=torch.device("cpu"))
    made = builders.headed if generator.asks_head else builders.mlp
    classifier = made(1, scale=2.0, dtype=torch.float32)
    factual = normal(1, ROWS, FEATURES, seed=3, dtype=torch.float32)
    target = integers(CLASSES, 1, ROWS, seed=4)
    found, paths = record(search, classifier, factual, target, constraints=limits)
    plain = search(classifier, factual, target, constraints=limits)
    for name, values in plain.tensors().items():
        assert torch.equal(getattr(found, name), values)
    assert len(paths) == ROWS
    stops = 2 if generator.asks_head else 3  # an answer is one step, or none
    assert len(found.steps.unique()) >= stops, "rows that stop early and late"
    for place, path in enumerate(paths):
        assert len(path) == found.steps[0, place] + 1
        assert torch.equal(path[0], factual[0, place])
        assert torch.equal(path[-1], found.counterfactual[0, place])
        near = (path - path[0]).abs().amax(1) <= search.descent.epsilon
        assert torch.equal(path[near][-1], found.nascent[0, place])
