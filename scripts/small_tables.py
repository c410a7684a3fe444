"""Tables that are at hand without a network: those that scikit-learn brings along."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

LABEL = "target"


def small_tables() -> Iterator[tuple[str, pd.DataFrame]]:
    """Yields wine, breast cancer and diabetes in two classes, each with its label."""
    for name, load in (("wine", load_wine), ("breast_cancer", load_breast_cancer)):
        bunch = load(as_frame=True)
        names = bunch.target_names[bunch.frame[LABEL]]
        yield name, bunch.frame.assign(target=names)
    frame = load_diabetes(as_frame=True, scaled=False).frame
    high = frame[LABEL] > frame[LABEL].median()
    yield "diabetes", frame.assign(target=np.where(high, "high", "low"))
