"""What tables and figures call datasets and objectives, and their order."""

from collections.abc import Iterable

DATASETS = {
    "linearly_separable": "LS",
    "circles": "Circ",
    "moons": "Moon",
    "overlapping": "OL",
    "adult": "Adult",
    "california_housing": "CH",
    "credit_default": "Cred",
    "gmsc": "GMSC",
    "mnist": "MNIST",
}
"""The paper's datasets in its order, with their abbreviations."""

OBJECTIVES = {
    "full": "CT",
    "energy": "CD",
    "adversarial": "AR",
    "aligned": "AT",
    "logistic": "LD",
    "alignment": "PAG",
    "pgd": "PGD",
    "gradient_penalty": "GP",
    "smoothing": "SL",
    "recourse": "RT",
    "jem": "JEM",
    "counternet": "CN",
    "vanilla": "BL",
}
"""The objectives' abbreviations; the baseline comes last."""

OBJECTIVES_TOLD = {
    "full": "counterfactual training",
    "energy": "energy terms alone",
    "adversarial": "adversarial term alone",
    "aligned": "aligned training",
    "logistic": "logistic divergence",
    "alignment": "aligned search directions alone",
    "pgd": "adversarial training by PGD",
    "gradient_penalty": "penalty on input gradients",
    "smoothing": "smoothed labels",
    "recourse": "recourse training",
    "jem": "a joint energy-based model",
    "counternet": "a classifier with a head for its counterfactuals",
    "vanilla": "conventional training",
}
"""The objectives in words."""

GENERATORS = {
    "ecco": "ECCo",
    "generic": "Generic",
    "revise": "REVISE",
    "nearest": "nearest observed",
    "path": "path over observed",
    "counternet": "the model's head",
}
"""The generators' names, the first three in the paper."""


def dataset_name(dataset: str) -> str:
    """Returns its abbreviation; other datasets go by their own names."""
    return DATASETS.get(dataset, dataset)


def objective_name(objective: str) -> str:
    """Returns its abbreviation, or its own name if it has none."""
    return OBJECTIVES.get(objective, objective)


def objective_told(objective: str) -> str:
    """Returns its abbreviation and what it stands for, if it has one."""
    name, told = objective_name(objective), OBJECTIVES_TOLD.get(objective)
    return name if told is None else f"{name} is {told}"


def generator_name(generator: str) -> str:
    """Returns what it is called there, or else its own name."""
    return GENERATORS.get(generator, generator)


def axis_name(axis: str) -> str:
    """Returns a grid's axis, named by its key in the configuration, in words."""
    return axis.replace(".", " ").replace("_", " ")


def ordered_datasets(datasets: Iterable[str]) -> list[str]:
    """Returns each once: the paper's in its order, then the others by name."""
    return _ordered(datasets, list(DATASETS))


def ordered_objectives(objectives: Iterable[str]) -> list[str]:
    """Returns each once: the paper's in its order, then the others by name."""
    return _ordered(objectives, list(OBJECTIVES))


def _ordered(names: Iterable[str], known: list[str]) -> list[str]:
    found = set(names)
    return [name for name in known if name in found] + sorted(found - set(known))
