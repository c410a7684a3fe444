"""What scikit-learn asks of rows and labels, and rows of any kind as a frame."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from cftrain.api.composing import checked
from cftrain.api.fitting import Wishes
from cftrain.api.scikit import (
    check_classification_targets,
    check_consistent_length,
    check_random_state,
    column_or_1d,
    validate_data,
)
from cftrain.data.columns import level_text, listed
from cftrain.data.tables.row_weights import no_weights
from cftrain.errors import ArgumentError, DataError

NUMBERS = {"dtype": "numeric", "ensure_all_finite": "allow-nan"}
"""What an array has to hold; what a frame holds is read off its columns."""

LEAST_ROWS = 2
"""One trains and one validates."""


def first_rows(estimator: Any, rows: Any, labels: Any) -> pd.DataFrame:
    """Returns rows as a frame, and notes its columns as those of the estimator. Raises
    ValueError or TypeError.
    """
    if not isinstance(rows, pd.DataFrame):
        least = {"ensure_min_samples": LEAST_ROWS}
        found, _ = validate_data(estimator, rows, labels, **NUMBERS, **least)
        return _numbered(found)
    if not rows.columns.is_unique:
        twice = rows.columns[rows.columns.duplicated()].tolist()
        raise DataError(f"X: expected different names of columns, got {listed(twice)}")
    validate_data(estimator, rows, labels, skip_check_array=True)
    check_consistent_length(rows, labels)
    return _named(rows)


def more_rows(estimator: Any, rows: Any) -> pd.DataFrame:
    """Returns rows as a frame with the columns of the estimator. Raises ValueError or
    TypeError for others.
    """
    if not isinstance(rows, pd.DataFrame):
        return _numbered(validate_data(estimator, rows, reset=False, **NUMBERS))
    validate_data(estimator, rows, reset=False, skip_check_array=True)
    return _named(rows)


@dataclass(frozen=True, kw_only=True)
class TrainingTable:
    """A frame with a column of labels and perhaps one of weights, and the classes."""

    frame: pd.DataFrame
    classes: np.ndarray
    label: str
    weight: str | None


def table_of(rows: pd.DataFrame, labels: Any, weights: Any) -> TrainingTable:
    """Returns rows with their labels, and with their weights if there are any. Raises
    DataError, ArgumentError, and ValueError for what is no column of classes.
    """
    classes, found = classes_of(labels)
    label, weight = free_name(labels, "label", rows), None
    frame = rows.assign(**{label: found})
    if weights is not None:
        weight = free_name(weights, "weight", frame)
        frame[weight] = weights_of(weights, len(frame))
    return TrainingTable(frame=frame, classes=classes, label=label, weight=weight)


def classes_of(labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns the classes, sorted, and the label (row,) of each row. Raises DataError,
    and ValueError for what is no column of classes.
    """
    found = column_or_1d(labels, warn=True)
    if pd.isna(found).any():
        raise DataError(f"y: expected labels, got {pd.isna(found).sum()} NaN or None")
    check_classification_targets(found)
    try:
        classes = np.unique(found)
    except TypeError as error:
        raise ArgumentError(f"y: expected labels of one type, got {error}") from error
    if len({class_text(label) for label in classes.tolist()}) < len(classes):
        raise DataError(
            "y: expected classes that are written differently, got "
            f"{listed(classes.tolist())}"
        )
    return classes, found


def class_text(label: Any) -> str:
    """Returns how a class is called in tables: 2.0 as 2."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return level_text(label if isinstance(label, int | bool | str) else str(label))


def weights_of(weights: Any, rows: int) -> np.ndarray:
    """Returns a weight (row,) of each row. Raises DataError, and ArgumentError for what
    are no numbers.
    """
    try:
        found = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"sample_weight: expected numbers, got {error}") from error
    if found.shape != (rows,):
        raise DataError(
            f"sample_weight: expected one number for each of {rows} rows, got the "
            f"shape {found.shape}"
        )
    expected = "sample_weight: expected numbers of 0 or more, not all zero, got"
    if others := no_weights(found):
        raise DataError(f"{expected} {others}")
    if not found.any():
        raise DataError(f"{expected} zero for all rows")
    return found


def free_name(values: Any, usual: str, frame: pd.DataFrame) -> str:
    """Returns a name for values that no column has: their own if they have one."""
    name = getattr(values, "name", None)
    free: str = name if isinstance(name, str) and name else usual
    while free in frame:
        free += "_"
    return free


def wishes_of(
    given: Mapping[str, Any], trained: TrainingTable, *, numbers: Sequence[str]
) -> Wishes:
    """Returns what the parameters of an estimator say of its training; columns called
    `numbers` are such. Raises ArgumentError.
    """
    own = isinstance(given["model"], str)
    words = {
        "model": given["model"] if own else None,
        "generator": given["generator"],
        "objective": given["objective"],
        "seed": seed_of(given["random_state"]),
        "schedule.epochs": given["epochs"],
    }
    said = [f"{key}={value}" for key, value in words.items() if value is not None]
    said += _budget_words(given["budget"])
    kinds = {**dict.fromkeys(numbers, "numeric"), **(given["kinds"] or {})}
    columns = ("immutable", "increase", "decrease", "domain", "levels", "missing")
    table = {key: given[key] for key in columns if given[key] is not None}
    return Wishes(
        label=trained.label,
        words=(*said, *checked(given["overrides"])),
        table={
            **{key: value for key, value in table.items() if len(value)},
            **({"kinds": kinds} if kinds else {}),
            **({"weight": trained.weight} if trained.weight is not None else {}),
            "classes": [class_text(each) for each in trained.classes.tolist()],
        },
        network=None if own else given["model"],
        device=given["device"],
    )


def _budget_words(budget: Any) -> list[str]:
    """What a budget is in words of a command. Raises ArgumentError."""
    if budget is None:
        return []
    if isinstance(budget, Real) and not isinstance(budget, bool):
        return [f"budget.accuracy={budget}"]
    if not isinstance(budget, Mapping):
        raise ArgumentError(
            "budget: expected a share of accuracy such as 0.01, or a mapping such as "
            f'{{"accuracy": 0.01, "validity": 0.02}}, got {budget!r}'
        )
    values = {key: list(v) if isinstance(v, tuple) else v for key, v in budget.items()}
    return [f"budget.{key}={value}" for key, value in values.items()]


def seed_of(random_state: Any) -> int:
    """Returns a whole number as it is, else one that is drawn."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _numbered(rows: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[f"x{place}" for place in range(rows.shape[1])])


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    names: list[Hashable] = list(rows.columns)
    return rows.set_axis([str(name) for name in names], axis=1)
