"""A table with most of what tables of people have, and a label that can be learnt."""

import numpy as np
import pandas as pd

ROWS = 900
ROW_NUMBER = "row id"
MONEY = "income, monthly €"


def frame(seed: int = 0, rows: int = ROWS) -> pd.DataFrame:
    """Mixed kinds, odd names, gaps, rare levels, a constant, an id, and copies."""
    rng = np.random.default_rng(seed)
    good = rng.random(rows) < 0.4
    born = pd.Timestamp("1950-01-01") + pd.to_timedelta(
        rng.integers(0, 20_000, rows), unit="D"
    )
    table = pd.DataFrame(
        {
            ROW_NUMBER: np.arange(1, rows + 1),
            "age": rng.integers(18, 80, rows),
            MONEY: np.where(
                good, rng.normal(4800, 500, rows), rng.normal(2500, 500, rows)
            ).round(2),
            "überzogen?": np.where(rng.random(rows) < 0.5, "ja", "nein"),
            "born": born.strftime("%d.%m.%Y"),
            "savings": np.where(good, rng.normal(9, 2, rows), rng.normal(4, 2, rows)),
            "city": [f"Stadt {number}" for number in zipf(rng, rows)],
            "school": rng.choice(["none yet", "basic", "high", "university"], rows),
            "country": "DE",
            "comment": [f"text {number} of a person" for number in range(rows)],
            "repaid": np.where(good, "yes", "no"),
        }
    )
    table.loc[rng.random(rows) < 0.4, "savings"] = np.nan
    table.loc[rng.random(rows) < 0.005, "age"] = np.nan
    table["age"] = table["age"].astype("Int64")
    table.loc[rng.random(rows) < 0.1, "school"] = None
    copies = table.iloc[:10]
    return pd.concat([table, copies], ignore_index=True)


def zipf(rng: np.random.Generator, rows: int) -> np.ndarray:
    """300 levels, of which few are frequent."""
    shares = 1 / np.arange(1, 301)
    return rng.choice(300, rows, p=shares / shares.sum())
