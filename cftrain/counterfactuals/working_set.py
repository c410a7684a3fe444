"""The rows of one search that are still on their way."""

import torch
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.tensors import Mask, PerRow, Rows

STATE = ("index", "factual", "target", "x", "nascent", "stopped")
OUTCOMES = ("mature", "finite", "steps")


class WorkingSet:
    """State of a search of one cell: moving rows, and a place for finished ones.

    Stopped rows do not move; `compact` writes them to the result and goes on without
    them, so that they cost nothing.

    `visits` makes it keep one state of each row's path, which `visit` draws.
    """

    def __init__(self, factual: Rows, target: Tensor, *, visits: bool = False) -> None:
        rows = factual.shape[:2]
        never = torch.zeros(rows, dtype=torch.bool, device=factual.device)
        self._start, self._aim = factual, target
        self.factual, self.target = factual, target
        self.x = self.nascent = factual
        self.index = torch.arange(rows[1], device=factual.device).unsqueeze(0)
        self.stopped, self.mature, self.finite = never, never, ~never
        self.steps = torch.zeros_like(target)
        self._kept = {"counterfactual": "x"} | {k: k for k in ("nascent", *OUTCOMES)}
        if visits:
            self.visited = factual
            self._kept["visited"] = "visited"
        self._result: dict[str, Tensor] = {
            name: getattr(self, kept).clone() for name, kept in self._kept.items()
        }

    @property
    def visits(self) -> bool:
        """Whether a state of each row's path is kept."""
        return "visited" in self._kept

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

    def visit(self, uniform: PerRow) -> None:
        """Keeps the states that rows are about to leave, each as likely as those before
        it: reservoir sampling (Vitter, 1985) by uniform numbers in [0, 1).
        """
        chosen = ~self.stopped & (uniform * (self.steps + 1) < 1)
        self.visited = torch.where(chosen.unsqueeze(-1), self.x, self.visited)

    def compact(self, *others: Tensor) -> list[Tensor]:
        """Leaves the stopped rows out, and out of the other tensors that it returns."""
        self._write()
        kept = (~self.stopped[0]).nonzero().squeeze(1)
        for name in {*STATE, *self._kept.values()}:
            setattr(self, name, getattr(self, name).index_select(1, kept))
        return [other.index_select(1, kept) for other in others]

    def result(self) -> SearchResult:
        self._write()
        return SearchResult(factual=self._start, target=self._aim, **self._result)

    def _write(self) -> None:
        places = self.index[0]
        for name, kept in self._kept.items():
            self._result[name].index_copy_(1, places, getattr(self, kept))
