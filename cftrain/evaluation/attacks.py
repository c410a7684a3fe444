"""Adversarial attacks on a whole stack; every cell is attacked through itself."""

import torch

from cftrain.energy import cross_entropy
from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes, Rows


def fgsm(classifier: Classifier, x: Rows, label: Classes, *, epsilon: float) -> Rows:
    """One signed gradient step of size epsilon (Goodfellow et al., 2015).

    Not clipped to a domain: the published evaluation is not either.
    """
    return x + epsilon * loss_gradient(classifier, x, label).sign()


def loss_gradient(classifier: Classifier, x: Rows, label: Classes) -> Rows:
    """Gradient of each row's class loss by its features."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        loss = cross_entropy(classifier(x), label)
        (gradient,) = torch.autograd.grad(loss.sum(), x)
    return gradient
