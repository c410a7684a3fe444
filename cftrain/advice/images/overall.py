"""Which pixels many answers change."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cftrain.advice.images.form import WHITE, ImageForm
from cftrain.advice.overview.overview import ColumnChange


@dataclass(frozen=True, kw_only=True)
class PixelShares:
    """For each pixel (height, width), the share of answers that change it, and by how
    much brighter they make it in the median (0 where none changes it).

    Of a pixel in colour they are the largest share and the mean of its channels.
    """

    shares: np.ndarray
    brighter: np.ndarray

    def text(self) -> str:
        """Returns how many pixels change, and by how much."""
        often = int((self.shares > 0.5).sum())
        return (
            f"{int((self.shares > 0).sum())} of {self.shares.size} pixels change, "
            f"{often} of them in more than half of the answers; a pixel becomes "
            f"{self.brighter.max(initial=0):.0f} of {WHITE} brighter or "
            f"{(-self.brighter).max(initial=0):.0f} darker at most, by the median of "
            "the answers that change it"
        )


def pixel_shares(form: ImageForm, columns: Iterable[ColumnChange]) -> PixelShares:
    """Returns what the changes of single columns come to."""
    place = {name: number for number, name in enumerate(form.columns)}
    shares, by = np.zeros(len(place)), np.zeros(len(place))
    for column in columns:
        shares[place[column.column]] = column.share
        if column.amount is not None:
            by[place[column.column]] = column.amount.median
    return PixelShares(
        shares=shares.reshape(form.shape).max(-1),
        brighter=by.reshape(form.shape).mean(-1),
    )
