"""Individuals that are stored one by one."""

from collections import Counter

import torch

from cftrain.evaluation.evaluate import evaluate
from cftrain.evaluation.individuals import draw_individuals
from tests.builders import blobs, mlp, streams
from tests.evaluation.individuals import protocol


def test_explained_individuals_are_distinct_and_counted():
    data, classifier = blobs(rows=90), mlp(3, scale=2.0)
    made = protocol(individuals=25)
    drawn = [stream.child("evaluation", 1) for stream in streams(3)]
    explained = evaluate(classifier, data, made, streams=streams(3)).explained
    kept = [e for e in explained if e.energy_weight == 5.0 and e.metric == "cost"]
    assert {e.metric for e in explained} == {"ip", "cost"}
    assert [e.cell for e in kept] == [0, 1, 2]
    found = draw_individuals(
        classifier, data, made, made.searches()[1][1], streams=drawn
    )
    cost = (found.found.counterfactual - found.found.factual).abs().sum(-1)
    for part in kept:
        present = found.present[part.cell]
        keys = Counter(
            zip(
                found.factual_row[part.cell, present].tolist(),
                found.found.target[part.cell, present].tolist(),
                strict=True,
            )
        )
        listed = zip(part.factual.tolist(), part.target.tolist(), strict=True)
        assert dict(zip(listed, part.draws.tolist(), strict=True)) == keys
        assert max(keys.values()) > 1
        assert torch.equal(part.value.isnan(), ~part.valid)
        rows = {
            (int(found.factual_row[part.cell, row]), int(found.found.target[0, row])): (
                float(cost[part.cell, row]),
                bool(found.valid[part.cell, row]),
            )
            for row in present.nonzero().flatten().tolist()
        }
        for factual, target, valid, value in zip(
            part.factual.tolist(),
            part.target.tolist(),
            part.valid.tolist(),
            part.value.tolist(),
            strict=True,
        ):
            expected, is_valid = rows[factual, target]
            assert valid == is_valid
            assert not valid or value == expected
