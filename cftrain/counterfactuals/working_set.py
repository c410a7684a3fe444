"""The rows of one search that are still on their way."""

import torch
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.tensors import Mask, Rows

MOVING = ("index", "factual", "target", "x", "nascent", "stopped")
OUTCOMES = ("mature", "finite", "steps")


class WorkingSet:
    """State of a search of one cell: moving rows, and a place for finished ones.

    Stopped rows do not move; `compact` writes them to the result and goes on without
    them, so that they cost nothing.
    """

    def __init__(self, factual: Rows, target: Tensor) -> None:
        rows = factual.shape[:2]
        never = torch.zeros(rows, dtype=torch.bool, device=factual.device)
        self.factual, self.target = factual, target
        self.x = self.nascent = factual
        self.index = torch.arange(rows[1], device=factual.device).unsqueeze(0)
        self.stopped, self.mature, self.finite = never, never, ~never
        self.steps = torch.zeros_like(target)
        self._result: dict[str, Tensor] = {
            "factual": factual,
            "target": target,
            "counterfactual": factual.clone(),
            "nascent": factual.clone(),
            "mature": self.mature.clone(),
            "finite": self.finite.clone(),
            "steps": self.steps.clone(),
        }

    def __len__(self) -> int:
        return self.x.shape[1]

    def stop(self, mature: Mask, broken: Mask) -> int:
        """Stops mature and broken rows; returns how many are left.

        Rows that have stopped before stay what they are: while they wait to be left
        out, a space that draws shows their judges other states of them.
        """
        moving = ~self.stopped
        self.mature = self.mature | (mature & ~broken & moving)
        self.finite = self.finite & ~(broken & moving)
        self.stopped = self.stopped | mature | broken
        return len(self) - int(self.stopped.sum())

    def move(self, x: Rows, near: Mask) -> None:
        """Moves the rows that have not stopped; rows near their factual are nascent."""
        moving = ~self.stopped
        self.x = torch.where(moving.unsqueeze(-1), x, self.x)
        self.nascent = torch.where((near & moving).unsqueeze(-1), x, self.nascent)
        self.steps = self.steps + moving

    def compact(self, *others: Tensor) -> list[Tensor]:
        """Leaves the stopped rows out, and out of the other tensors that it returns."""
        self._write()
        kept = (~self.stopped[0]).nonzero().squeeze(1)
        for name in (*MOVING, *OUTCOMES):
            setattr(self, name, getattr(self, name).index_select(1, kept))
        return [other.index_select(1, kept) for other in others]

    def result(self) -> SearchResult:
        self._write()
        return SearchResult(**self._result)

    def _write(self) -> None:
        places = self.index[0]
        self._result["counterfactual"].index_copy_(1, places, self.x)
        self._result["nascent"].index_copy_(1, places, self.nascent)
        for name in OUTCOMES:
            self._result[name].index_copy_(1, places, getattr(self, name))
