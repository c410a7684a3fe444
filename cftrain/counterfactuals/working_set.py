"""The rows of one search that are still on their way."""

import torch
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.tensors import Mask, PerRow, Rows

STATE = ("index", "factual", "target", "x", "nascent")
OUTCOMES = ("mature", "finite", "steps")
MARKS = ("mature", "finite")

LOOKS, ELSEWHERE = {"cpu": 1}, 5
"""Steps after which it is looked how many rows are left. A GPU would have to wait for
the answer: meanwhile rows that have stopped stay where they are.
"""


class WorkingSet:
    """State of a search of one cell: moving rows, and a place for finished ones.

    Stopped rows do not move; `compact` writes them to the result and goes on without
    them, so that they cost nothing.

    `visits` makes it keep one state of each row's path, which `visit` draws. With
    `columns` rows lie in memory feature by feature until they are in the result.
    """

    def __init__(
        self,
        factual: Rows,
        target: Tensor,
        *,
        visits: bool = False,
        columns: bool = False,
    ) -> None:
        rows = factual.shape[:2]
        never = torch.zeros(rows, dtype=torch.bool, device=factual.device)
        self._start, self._aim, self._never = factual, target, never
        self._columns, self._unseen = columns, 0
        self.factual, self.target = factual, target
        if columns:
            self.factual = factual.mT.contiguous().mT
        self.x, self.nascent = self.factual, self.factual.clone()
        self.index = torch.arange(rows[1], device=factual.device).unsqueeze(0)
        self.stopped, self.mature, self.finite = never, never, ~never
        self.steps = torch.zeros_like(target)
        self._kept = {"counterfactual": "x"} | {k: k for k in ("nascent", *OUTCOMES)}
        if visits:
            self.visited = self.factual.clone()
            self._kept["visited"] = "visited"
        self._result: dict[str, Tensor] = {
            name: getattr(self, kept).clone(memory_format=torch.contiguous_format)
            for name, kept in self._kept.items()
        }

    @property
    def visits(self) -> bool:
        """Whether a state of each row's path is kept."""
        return "visited" in self._kept

    def __len__(self) -> int:
        return self.x.shape[1]

    def stop(self, mature: Mask, broken: Mask | None) -> int:
        """Stops mature and broken rows, of which there may be none; returns how many
        are left, or how many were when that was last looked at.

        Rows that have stopped before stay what they are: while they wait to be left
        out, a space that draws shows their judges other states of them.
        """
        moving = ~self.stopped
        if broken is not None:
            self.finite = self.finite & ~(broken & moving)
            self.stopped = self.stopped | broken
            mature = mature & ~broken
        self.mature = self.mature | (mature & moving)
        self.stopped = self.stopped | mature
        self._unseen += 1
        if self._unseen < LOOKS.get(self.x.device.type, ELSEWHERE):
            return len(self)
        self._unseen = 0
        return len(self) - int(self.stopped.sum())

    def move(self, x: Rows, near: Mask) -> None:
        """Moves the rows that have not stopped; rows near their factual are nascent."""
        moving = ~self.stopped
        self.x = self._replaced(x, self.x, self.stopped)
        self.nascent = self._replaced(self.nascent, x, near & moving)
        self.steps = self.steps + moving

    def visit(self, uniform: PerRow) -> None:
        """Keeps the states that rows are about to leave, each as likely as those before
        it: reservoir sampling (Vitter, 1985) by uniform numbers in [0, 1).
        """
        chosen = ~self.stopped & (uniform * (self.steps + 1) < 1)
        self.visited = self._replaced(self.visited, self.x, chosen)

    def compact(self, *others: Tensor) -> list[Tensor]:
        """Leaves the stopped rows out, and out of the other tensors that it returns."""
        self._write()
        kept = (~self.stopped[0]).nonzero().squeeze(1)
        for name in {*STATE, *self._kept.values()} - {*MARKS}:
            setattr(self, name, self._rows(getattr(self, name), kept))
        # Whoever has a mark has stopped.
        never = self._never[:, : len(kept)]
        self.stopped, self.mature, self.finite = never, never, ~never
        return [self._rows(other, kept) for other in others]

    def result(self) -> SearchResult:
        self._write()
        return SearchResult(factual=self._start, target=self._aim, **self._result)

    def _write(self) -> None:
        places = self.index[0]
        for name, kept in self._kept.items():
            self._result[name].index_copy_(1, places, getattr(self, kept))

    def _rows(self, values: Tensor, places: Tensor) -> Tensor:
        """Returns the rows at these places, which lie in memory as before."""
        if self._columns and values.ndim == 3:
            return values.mT.index_select(2, places).mT
        return values.index_select(1, places)

    def _replaced(self, rows: Rows, others: Rows, chosen: Mask) -> Rows:
        """Returns the rows, of which the chosen ones are the others; wide ones are
        replaced where they are, since a choice by a mask takes five times as long.
        """
        if self._columns or rows.device.type != "cpu":
            return torch.where(chosen.unsqueeze(-1), others, rows)
        places = chosen[0].nonzero().squeeze(1)
        return rows.index_copy_(1, places, others.index_select(1, places))
