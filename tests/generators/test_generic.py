import math

import pytest
import torch
from torch.autograd import gradcheck

from cftrain.counterfactuals.generator import Progress
from tests.builders import generic, integers, normal, stacked

LOGITS, TARGET = normal(2, 3, 3), integers(3, 2, 3, seed=1)
X, FACTUAL = normal(2, 3, 4, seed=2), normal(2, 3, 4, seed=3)
PROGRESS = Progress(step=3, max_steps=30)


def loss(generator, logits=LOGITS, x=X):
    return generator.loss(logits, TARGET, x, FACTUAL, progress=PROGRESS)


def test_the_loss_is_surprise_plus_distance():
    for cell in range(2):
        for row in range(3):
            logits = LOGITS[cell, row].tolist()
            surprise = math.log(sum(map(math.exp, logits))) - logits[TARGET[cell, row]]
            pairs = zip(X[cell, row].tolist(), FACTUAL[cell, row].tolist(), strict=True)
            away = sum(abs(a - b) for a, b in pairs)
            expected = surprise + 0.7 * away
            assert float(loss(generic(0.7))[cell, row]) == pytest.approx(expected)


def test_every_cell_has_its_own_weight():
    found = loss(stacked([generic(0.2), generic(3.0)]))
    assert torch.equal(found[0], loss(generic(0.2))[0])
    assert torch.equal(found[1], loss(generic(3.0))[1])


def test_gradients_agree_with_finite_differences():
    inputs = LOGITS.clone().requires_grad_(), X.clone().requires_grad_()
    assert gradcheck(lambda logits, x: loss(generic(0.7), logits, x), inputs)
