"""Galleries and maps that somebody sent: drawn, or refused with what is wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cftrain.errors import ResultError
from cftrain.summary.figures.counterfactual_images import gallery_figure
from cftrain.summary.figures.images import check_images

KEYS = ("factual", "cell", "target")
MODELS = pd.DataFrame(
    {"objective": ["full", "vanilla"], "config": ['{"data": {}}'] * 2}, index=["a", "b"]
)


def gallery(factuals: int = 2, classes: int = 3, side: int = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell": cell,
            "factual": factual,
            "label": 0,
            "target": target,
            "values": [0.5] * side**2,
            "height": side,
            "width": side,
        }
        for cell in ("a", "b")
        for factual in range(factuals)
        for target in range(classes)
    )


def of_all(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda rows: rows.assign(**{column: [value] * len(rows)})


HOSTILE = {
    "infinite": (of_all("values", [np.inf] * 16), "values that are not infinite"),
    "too few values": (of_all("values", [0.5] * 15), "a value for each of 4 x 4"),
    "no values": (of_all("values", None), "pixels, at most 1048576, got 0"),
    "no height": (of_all("height", None), "sides of at least 1 pixel"),
    "negative": (of_all("width", -4), "sides of at least 1 pixel, got 4 x -4"),
    "endless": (of_all("height", 2**62), "a value for each of 4611686018427387904 x 4"),
    "twice": (lambda rows: pd.concat([rows, rows]), "or some of them twice"),
    "missing": (lambda rows: rows.iloc[1:], "an image for each factual, cell, target"),
    "no target": (of_all("target", None), "an image for each factual, cell, target"),
    "many": (lambda rows: gallery(400, 3, 1), "at most 2000 images in a figure"),
    "long": (lambda rows: gallery(201, 1, 1), "and 200 in a line, got 402"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_drawn_is_refused(name):
    change, message = HOSTILE[name]
    with pytest.raises(ResultError, match=f"^gallery.*: expected .*{message}"):
        check_images(change(gallery()), KEYS, "gallery")


@pytest.mark.parametrize("value", [0.5, 3e38, -3e38, np.nan])
def test_numbers_that_no_pixel_has_are_drawn_all_the_same(value, tmp_path):
    rows = of_all("values", [value] * 15 + [0.0])(gallery())
    figure = gallery_figure(rows, MODELS)
    assert figure is not None
    figure.savefig(tmp_path / "figure.png", dpi=30)


def test_figures_check_what_they_draw():
    rows = of_all("values", [np.inf] * 16)(gallery())
    with pytest.raises(ResultError, match="not infinite"):
        gallery_figure(rows, MODELS)
