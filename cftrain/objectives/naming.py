"""What an objective is called, and which of its settings change nothing, by its terms.

Terms go by the names of the parts of the loss.
"""

from collections.abc import Set

PARTS = (
    "class_loss",
    "divergence",
    "adversarial_loss",
    "ridge",
    "misalignment",
    "attack_loss",
    "squared_slope",
    "recourse_loss",
    "energy_gap",
    "head_loss",
    "head_distance",
)
"""Parts of the loss."""

OF_COUNTERFACTUALS = PARTS[1:5]
"""Those about counterfactuals that a search has to find."""

OF_HEAD = PARTS[9:]
"""Those about answers of a model's head, which change no prediction."""

SEARCHED = set(OF_COUNTERFACTUALS)


def name_by_terms(used: Set[str], *, logistic: bool, smoothed: bool) -> str:
    """Returns full, energy, adversarial or vanilla, or another, by the terms used."""
    diverges = bool(used & {"divergence", "ridge"})
    if "misalignment" in used:
        return "aligned" if diverges else "alignment"
    if diverges and logistic:
        return "logistic"
    if "adversarial_loss" in used:
        return "full" if diverges else "adversarial"
    if diverges:
        return "energy"
    for part, name in (
        ("recourse_loss", "recourse"),
        ("energy_gap", "jem"),
        ("head_loss", "counternet"),
        ("attack_loss", "pgd"),
        ("squared_slope", "gradient_penalty"),
    ):
        if part in used:
            return name
    return "smoothing" if smoothed else "vanilla"


def ineffective(used: Set[str]) -> frozenset[str]:
    """Returns the settings of an objective that change no number without its terms."""
    diverges, ridged = "divergence" in used, "ridge" in used
    unused = set()
    if not diverges:
        unused |= {"divergence", "margin", "relative_margin", "spread"}
    if not ridged:
        unused |= {"immature_ridge", "ridge_weight"}
    if not (diverges or ridged):
        unused |= {"energy", "immature"}
    if not (diverges or ridged or "misalignment" in used):
        unused |= {"positive"}
    if "attack_loss" not in used:
        unused |= {"attack_epsilon"}
    if "recourse_loss" not in used:
        unused |= {"recourse_epsilon"}
    if not used & {"attack_loss", "recourse_loss"}:
        unused |= {"attack_steps"}
    if not used & SEARCHED:
        unused |= {"nascent_label"}
    return frozenset(unused)
