"""What a search returns."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from cftrain.errors import StackError
from cftrain.tensors import Classes, Mask, Rows


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """Immaturity is data, not an error.

    `counterfactual` is the last state, mature or not; `nascent` the last state within
    epsilon of the factual; `steps` the number of moves made. Rows whose gradient was
    not finite stopped where they were and are not `finite`.

    Where categories are made valid at the end, a nascent row keeps its factual's value
    of every input that would be moved by more than epsilon.

    `visited` is one of the states that a row has moved on from, all equally likely (its
    factual, if it never moved), where that was asked for.
    """

    factual: Rows
    target: Classes
    counterfactual: Rows
    nascent: Rows
    mature: Mask
    finite: Mask
    steps: Classes
    visited: Rows | None = None

    def __post_init__(self) -> None:
        rows = self.factual.shape[:2]
        for name, values in self.tensors().items():
            expected = self.factual.shape if values.ndim == 3 else rows
            if values.shape != expected:
                raise StackError(
                    f"SearchResult.{name}: expected shape {tuple(expected)}, "
                    f"got {tuple(values.shape)}"
                )

    def tensors(self) -> dict[str, Tensor]:
        """Returns what there is, by the fields' names."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def rows(self, places: Tensor) -> "SearchResult":
        """Returns the rows at these places, in all cells; places may repeat."""
        return SearchResult(
            **{name: values[:, places] for name, values in self.tensors().items()}
        )


def concatenate(results: list[SearchResult], axis: int) -> SearchResult:
    """Joins results along the stack (0) or the row axis (1)."""
    if len(results) == 1:
        return results[0]
    parts = [result.tensors() for result in results]
    joined = {
        name: torch.cat([part[name] for part in parts], axis) for name in parts[0]
    }
    return SearchResult(**joined)
