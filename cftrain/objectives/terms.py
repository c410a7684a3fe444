"""Terms of the objective: pure, per row, without weights or reduction.

The class loss and the adversarial losses are the cross-entropy of
`cftrain.counterfactuals.energy`: of observed rows (paper Eq. 1), of nascent
counterfactuals (paper Eq. 5) and of attacked rows (Madry et al., 2018).
"""

from torch import Tensor
from torch.nn import functional

from cftrain.counterfactuals.energy import cross_entropy, target_probability
from cftrain.tensors import (
    Classes,
    Flags,
    Logits,
    PerRow,
    Rows,
    Scalar,
    logistic,
    softplus,
)

SHORTEST = 1e-8
"""Length below which a direction is none: that of the library's cosine."""


def divergence(positive: PerRow, counterfactual: PerRow) -> PerRow:
    """Returns by how much energy observed rows exceed counterfactuals (paper Eq. 4)."""
    return positive - counterfactual


def logistic_divergence(
    positive: PerRow, counterfactual: PerRow, margin: PerRow
) -> PerRow:
    """Returns softplus(E(observed) - E(counterfactual) + margin).

    It is bounded below: a counterfactual whose energy is well above that of an observed
    row costs nothing more, so it needs no ridge.
    """
    return softplus(positive - counterfactual + margin)


def logistic_divergence_slope(
    positive: PerRow, counterfactual: PerRow, margin: PerRow
) -> PerRow:
    """Returns its derivative by the energy of the observed row, which is minus that by
    the energy of the counterfactual.
    """
    return logistic(positive - counterfactual + margin)


def ridge(positive: PerRow, counterfactual: PerRow) -> PerRow:
    """Returns both squared energies: they bound the divergence from below (Eq. 3)."""
    return positive * positive + counterfactual * counterfactual


def ridge_slope(energy: PerRow) -> PerRow:
    """Returns the derivative of the ridge by the energy of either row."""
    return 2 * energy


def smoothed_cross_entropy(logits: Logits, label: Classes, smoothing: Scalar) -> PerRow:
    """Returns the cross-entropy with labels of which all classes share a part.

    (1 - s) times that of the label, plus s times the mean over all classes (Szegedy et
    al., 2016).
    """
    everywhere = logits.logsumexp(-1) - logits.mean(-1)
    return (1 - smoothing) * cross_entropy(logits, label) + smoothing * everywhere


def misalignment(ascent: Rows, wanted: Rows, movable: Flags) -> PerRow:
    """Returns 1 minus the cosine of the directions, over movable features.

    Perceptually aligned gradients (Ganz, Kawar and Elad, 2023), with the wanted
    direction taken from an observed row. A direction of zero length has a cosine of 0.
    """
    return 1 - functional.cosine_similarity(ascent * movable, wanted * movable, dim=-1)


def misalignment_slope(ascent: Rows, wanted: Rows, movable: Flags) -> Rows:
    """Returns the gradient of the misalignment by the ascent."""
    ascent, wanted = ascent * movable, wanted * movable
    length, size = (
        each.norm(dim=-1, keepdim=True).clamp(min=SHORTEST) for each in (ascent, wanted)
    )
    here, there = ascent / length, wanted / size
    cosine = (here * there).sum(-1, keepdim=True)
    return (cosine * here - there) / length


def missed_target(logits: Logits, target: Classes) -> PerRow:
    """Returns (1 - p)^2 of the probability of the target (Guo et al., 2023)."""
    return (1 - target_probability(logits, target)) ** 2


def mean_square(answer: Rows, factual: Rows) -> PerRow:
    """Returns the squared distance, a mean over features (Guo et al., 2023)."""
    return ((answer - factual) ** 2).mean(-1)


def squared_slope(gradient: Rows) -> PerRow:
    """Returns the squared L2 norm of gradients by inputs (Ross and Doshi-Velez, 2018).

    The penalty is as old as Drucker and LeCun (1992).
    """
    squares: Tensor = gradient * gradient
    return squares.sum(-1)
