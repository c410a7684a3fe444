"""The same people for both models: those for whom both have a valid counterfactual."""

from dataclasses import dataclass

import pandas as pd

INDIVIDUAL = ["energy_weight", "factual", "target"]


@dataclass(frozen=True, kw_only=True)
class Common:
    """Means over the individuals that are valid under both models, and their share of
    all individuals searched for either.
    """

    model: float
    baseline: float
    share: float
    count: int


def common(model: pd.DataFrame, baseline: pd.DataFrame) -> Common | None:
    """Compares two models by one metric on the individuals that are valid under both.

    Returns None if there are no such individuals. Every distinct (energy weight,
    factual, target) counts once, however often either model drew it: the models draw
    apart, so no weighting by draws is fair to both. The mean is taken in each energy
    weight, then over the weights.
    """
    searched = pd.concat([model[INDIVIDUAL], baseline[INDIVIDUAL]]).drop_duplicates()
    columns = [*INDIVIDUAL, "value"]
    both = pd.merge(
        model.loc[model["valid"] & model["value"].notna(), columns],
        baseline.loc[baseline["valid"] & baseline["value"].notna(), columns],
        on=INDIVIDUAL,
        suffixes=("_model", "_baseline"),
    )
    if both.empty:
        return None
    values = both[["value_model", "value_baseline"]].astype("float64")
    means = values.groupby(both["energy_weight"].fillna(-1)).mean().mean()
    return Common(
        model=float(means["value_model"]),
        baseline=float(means["value_baseline"]),
        share=len(both) / len(searched),
        count=len(both),
    )
