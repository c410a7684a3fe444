"""A table of numbers, texts and gaps, and estimators that are fitted in a moment."""

import numpy as np
import pandas as pd

import cftrain

QUICK = ("schedule.counterfactuals=16", "search.max_steps=4", "schedule.batch_rows=20")


def loans(rows: int = 120) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of applicants and whether they have repaid."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "income": rng.normal(3000, 800, rows).round(),
            "debt": rng.exponential(3000, rows).round(),
            "purpose": rng.choice(["car", "home", "study"], rows),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "income"] = np.nan
    left = frame["income"].fillna(3000) - 0.2 * frame["debt"]
    labels = np.where(left > left.median(), "yes", "no")
    return frame, pd.Series(labels, name="repaid")


def estimator(**given: object) -> cftrain.CounterfactualTrainingClassifier:
    settings = {
        "epochs": 3,
        "random_state": 0,
        "overrides": QUICK,
        "objective": "full",
        **given,
    }
    return cftrain.CounterfactualTrainingClassifier(**settings)
