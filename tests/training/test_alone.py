"""A model of a stack is itself alone to the last bit, by the whole road of training."""

from dataclasses import replace

import pytest
import torch

from cftrain.training.stack import train
from tests.console import TINY_MOONS, read

ODD = (
    *TINY_MOONS,
    "schedule.epochs=3",
    "data.training_rows=240",
    "data.generated_rows=600",
    "schedule.batch_rows=120",
    "schedule.counterfactuals=182",
    "search.max_steps=5",
)
"""Steps of an odd number of rows: cells lie elsewhere in a cache line than alone."""

KINDS = [
    ("objective=full", "model.hidden=[5,7]", "model.activation=tanh"),
    ("objective=full", "model.hidden=[32]"),
    ("objective=aligned", "model.hidden=[17]", "model.activation=swish"),
    ("objective=gradient_penalty", "model.hidden=[9]"),
    ("objective=recourse", "model.hidden=[]"),
    ("objective=counternet", "model=counternet", "model.head.hidden=[9]"),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: " ".join(kind))
def test_a_model_is_itself_alone(kind):
    run, _ = read(*ODD, *kind)
    dataset, cpu = run.data.load(), torch.device("cpu")
    runs = [
        replace(run, seed=seed, objective=replace(run.objective, strength=strength))
        for seed, strength in enumerate((0.3, 1.0, 0.1))
    ]
    together = train(runs, dataset, device=cpu).classifier
    for cell, each in enumerate(runs):
        alone = train([each], dataset, device=cpu).classifier
        for one, many in zip(alone.parameters(), together.parameters(), strict=True):
            assert torch.equal(one[0], many[cell])
