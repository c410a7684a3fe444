"""Terms of a search's loss, each per row and without weight."""

from cftrain.tensors import PerRow, Rows


def distance(counterfactual: Rows, factual: Rows) -> PerRow:
    """Returns the L1 distance, summed over features (Wachter et al., 2018)."""
    return (counterfactual - factual).abs().sum(-1)


def distance_slope(counterfactual: Rows, factual: Rows) -> Rows:
    """Returns the gradient of the distance by the counterfactual: 0 where they meet."""
    return (counterfactual - factual).sign_()


def energy_constraint(energy: PerRow) -> PerRow:
    """Returns E + 0.001 E^2: the square keeps energies from falling for ever (ECCo)."""
    return energy + ENERGY_RIDGE * energy * energy


def energy_constraint_slope(energy: PerRow) -> PerRow:
    """Returns the derivative of the constraint by the energy."""
    return 1 + 2 * ENERGY_RIDGE * energy


def polynomial_decay(step: int, max_steps: int) -> float:
    """Returns the published weight of the energy constraint at a step, counted from 0.

    a (b + t)^-0.9 with t = step + 1, b = round(max_steps / 25), a = b / 10. It is zero
    for max_steps <= 12: ECCo is then the generic generator.
    """
    offset = round(max_steps / STEPS_PER_OFFSET)
    return offset / 10 * (offset + step + 1) ** -0.9


ENERGY_RIDGE = 0.001
STEPS_PER_OFFSET = 25
