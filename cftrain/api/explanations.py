"""What is told of decisions, as a sequence, a table or text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import pandas as pd
import pyarrow as pa

from cftrain.advice.advice import Advice
from cftrain.advice.formats.parquet import SCHEMA
from cftrain.advice.formats.records import records
from cftrain.advice.formats.text import text
from cftrain.advice.images.form import ImageForm


@dataclass(frozen=True, kw_only=True)
class Explanations(Sequence[Advice]):
    """The advice for each row, in their order, as `cftrain explain` tells it.

    Each has the `decision` with its `probability`, the `target`, up to `count` valid
    `answers` with their `changes` in raw units, or the `reason` why there is none.
    Printed, it is the text of the command; `frame` is its table.
    """

    advice: tuple[Advice, ...]
    image: ImageForm | None = None

    @overload
    def __getitem__(self, place: int) -> Advice: ...

    @overload
    def __getitem__(self, place: slice) -> "Explanations": ...

    def __getitem__(self, place: int | slice) -> "Advice | Explanations":
        chosen = self.advice[place]
        if isinstance(chosen, tuple):
            return Explanations(advice=chosen, image=self.image)
        return chosen

    def __len__(self) -> int:
        return len(self.advice)

    def __iter__(self) -> Iterator[Advice]:
        return iter(self.advice)

    def __str__(self) -> str:
        return "\n".join(text(each, self.image) for each in self.advice)

    @property
    def frame(self) -> pd.DataFrame:
        """Returns a line for each change of each answer, or one with the reason: the
        table of `cftrain explain format=parquet`.
        """
        lines = [record for each in self.advice for record in records(each)]
        return pa.Table.from_pylist(lines, schema=SCHEMA).to_pandas()
