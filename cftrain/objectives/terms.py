"""Terms of the objective: pure, per row, without weights or reduction.

The class loss and the adversarial loss are both the cross-entropy of
`cftrain.counterfactuals.energy`, of observed rows (paper Eq. 1) and of nascent
counterfactuals (paper Eq. 5).
"""

from cftrain.tensors import PerRow


def divergence(positive: PerRow, counterfactual: PerRow) -> PerRow:
    """Returns by how much energy observed rows exceed counterfactuals (paper Eq. 4)."""
    return positive - counterfactual


def ridge(positive: PerRow, counterfactual: PerRow) -> PerRow:
    """Returns both squared energies: they bound the divergence from below (Eq. 3)."""
    return positive * positive + counterfactual * counterfactual
