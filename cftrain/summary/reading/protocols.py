"""By which protocol some models are compared, where there are several."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

SHOWN = 8
"""Characters of an id that people are shown and may give."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The protocol that is shown, None if no model was evaluated, and those of the same
    models that are left out.

    `alike` says whether what stands beside it was evaluated by the same protocol.
    """

    protocol: str | None
    left_out: tuple[str, ...]
    alike: bool = True

    @property
    def note(self) -> str | None:
        """A footnote; None where there is nothing to say."""
        if self.protocol is None or (self.alike and not self.left_out):
            return None
        said = [f"evaluated by protocol {self.protocol[:SHOWN]}"]
        if not self.alike:
            said.append("not by that of other columns")
        if self.left_out:
            ids = ", ".join(other[:SHOWN] for other in self.left_out)
            said.append(f"evaluations by {ids} are left out (protocol=ID shows them)")
        return "; ".join(said)


def one_protocol(measured: pd.DataFrame, cells: Iterable[str]) -> pd.DataFrame:
    """Returns those of some cells that were evaluated by their newest common protocol,
    indexed by cell, with the column `protocol`.
    """
    wanted = list(dict.fromkeys(cells))
    chosen = choose(measured, [wanted], 0)
    index = pd.Index(wanted, name="cell")
    table = pd.DataFrame({"protocol": chosen.protocol}, index=index)
    return table[table.set_index("protocol", append=True).index.isin(measured.index)]


def choose(
    measured: pd.DataFrame, groups: Sequence[Iterable[str]], group: int
) -> Choice:
    """Chooses the protocol of one of several groups of cells that are shown together.

    It is the newest by which as many cells of the group as possible were evaluated,
    and if there is one, a protocol of which this holds for all groups. `measured` are
    evaluations that are done, indexed by cell and protocol.
    """
    found = [_widest(measured, set(cells)) for cells in groups]
    own = found[group]
    shared = set.intersection(*(each for each in found if each)) if own else set()
    cells = measured.index.get_level_values("cell").isin(set(groups[group]))
    newest = measured[cells].groupby("protocol")["created"].max()
    order = newest.sort_index().sort_values(kind="stable").index
    usable = [protocol for protocol in order if protocol in (shared or own)]
    if not usable:
        return Choice(protocol=None, left_out=())
    return Choice(
        protocol=usable[-1],
        left_out=tuple(protocol for protocol in order if protocol != usable[-1]),
        alike=bool(shared),
    )


def _widest(measured: pd.DataFrame, cells: set[str]) -> set[str]:
    """The protocols by which most of the cells were evaluated."""
    own = measured[measured.index.get_level_values("cell").isin(cells)]
    counts = own.groupby("protocol").size()
    return set(counts.index[counts == counts.max()])
