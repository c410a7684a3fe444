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
    """

    factual: Rows
    target: Classes
    counterfactual: Rows
    nascent: Rows
    mature: Mask
    finite: Mask
    steps: Classes

    def __post_init__(self) -> None:
        rows = self.factual.shape[:2]
        for field in fields(self):
            shape = getattr(self, field.name).shape
            expected = self.factual.shape if len(shape) == 3 else rows
            if shape != expected:
                raise StackError(
                    f"SearchResult.{field.name}: expected shape {tuple(expected)}, "
                    f"got {tuple(shape)}"
                )

    def rows(self, places: Tensor) -> "SearchResult":
        """Returns the rows at these places, in all cells; places may repeat."""
        return SearchResult(
            **{f.name: getattr(self, f.name)[:, places] for f in fields(self)}
        )


def concatenate(results: list[SearchResult], axis: int) -> SearchResult:
    """Joins results along the stack (0) or the row axis (1)."""
    if len(results) == 1:
        return results[0]
    joined: dict[str, Tensor] = {
        field.name: torch.cat([getattr(result, field.name) for result in results], axis)
        for field in fields(SearchResult)
    }
    return SearchResult(**joined)
