"""The measures of the evaluation as tables and figures call them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A metric by its name in the results, its title and what is better.

    `told` is what it is called where there is room for words; `aside` ones are variants
    of others, which a first look can do without.
    """

    name: str
    title: str
    told: str
    higher_is_better: bool
    aside: bool


_LESS_IS_BETTER = {
    "ip": "IP",
    "ip_all": "IP of all",
    "ip_star": "IP*",
    "ip_star_printed": "IP* (ℓ = 0.5)",
    "ip_star_median": "IP* (ℓ = median distance)",
    "cost": "cost",
    "violations": "violations",
    "at_bound": "at a bound",
    "calibration_error": "calibration error",
    "negative_log_likelihood": "NLL",
    "ig_published": "integrated gradients, published",
    "ig_bounded": "integrated gradients, bounded",
    "unfaithfulness": "unfaithfulness",
}

_MORE_IS_BETTER = {
    "validity": "validity",
    "validity_told": "validity as told",
    "mature_share": "mature",
    "redundancy": "redundancy",
    "diversity": "diversity",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auc": "AUC",
    "f1": "F1",
    "fgsm_accuracy": "FGSM",
    "pgd_accuracy": "PGD",
    "fgsm_accuracy_constrained": "FGSM constrained",
    "pgd_accuracy_constrained": "PGD constrained",
}

_TOLD = {
    "ip": "implausibility IP (L1)",
    "ip_all": "IP of all, valid or not",
    "ip_star": "implausibility IP* (MMD²)",
    "cost": "cost (L1)",
    "violations": "broken constraints",
    "at_bound": "stopped at a bound of the domain",
    "ig_published": "reliance on protected, published",
    "ig_bounded": "reliance on protected features",
    "mature_share": "reached the threshold",
    "redundancy": "features left alone",
    "negative_log_likelihood": "negative log-likelihood",
    "diversity": "distance of counterfactuals to each other",
    "f1": "macro F1",
    "fgsm_accuracy": "accuracy under FGSM",
    "pgd_accuracy": "accuracy under PGD",
    "fgsm_accuracy_constrained": "FGSM within constraints",
    "pgd_accuracy_constrained": "PGD within constraints",
}
"""Where the title alone tells too little."""

_ASIDE = {"ip_all", "ip_star_printed", "ip_star_median", "ig_published"}

_FLOOR = "_floor"
"""How names end of what observed rows score themselves."""

MEASURES = {
    name: Measure(
        name=name,
        title=title,
        told=_TOLD.get(name, title),
        higher_is_better=higher,
        aside=name in _ASIDE,
    )
    for higher, titles in ((False, _LESS_IS_BETTER), (True, _MORE_IS_BETTER))
    for name, title in titles.items()
}
"""Every measure that has a title, by its name."""


def measure_title(name: str) -> str:
    """Returns what people call a measure; those without a title go by their names."""
    return MEASURES[name].title if name in MEASURES else name


def measure_told(name: str) -> str:
    """Returns what a measure is called where there is room for words."""
    if is_floor(name):
        return f"{measure_title(name.removesuffix(_FLOOR))} of observed rows"
    return MEASURES[name].told if name in MEASURES else name


def is_aside(name: str) -> bool:
    """Returns whether a first look can do without a measure; one's own is shown."""
    return is_floor(name) or (name in MEASURES and MEASURES[name].aside)


def is_floor(name: str) -> bool:
    """Returns whether a measure is about observed rows and not about a model."""
    return name.endswith(_FLOOR)
