"""The measures of the evaluation as tables and figures call them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A metric by its name in the results, its title and what is better."""

    name: str
    title: str
    higher_is_better: bool


_LESS_IS_BETTER = {
    "ip": "IP",
    "ip_all": "IP of all",
    "ip_star": "IP*",
    "ip_star_printed": "IP* (ℓ = 0.5)",
    "ip_star_median": "IP* (ℓ = median distance)",
    "cost": "cost",
    "violations": "violations",
    "ig_published": "integrated gradients, published",
    "ig_bounded": "integrated gradients, bounded",
    "unfaithfulness": "unfaithfulness",
}

_MORE_IS_BETTER = {
    "validity": "validity",
    "mature_share": "mature",
    "redundancy": "redundancy",
    "accuracy": "accuracy",
    "f1": "F1",
    "fgsm_accuracy": "FGSM",
    "pgd_accuracy": "PGD",
    "fgsm_accuracy_constrained": "FGSM constrained",
    "pgd_accuracy_constrained": "PGD constrained",
}

MEASURES = {
    name: Measure(name=name, title=title, higher_is_better=higher)
    for higher, titles in ((False, _LESS_IS_BETTER), (True, _MORE_IS_BETTER))
    for name, title in titles.items()
}
"""Every measure that has a title, by its name."""


def measure_title(name: str) -> str:
    """Returns what people call a measure; those without a title go by their names."""
    return MEASURES[name].title if name in MEASURES else name
