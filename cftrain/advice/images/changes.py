"""What an answer changes about an image."""

from dataclasses import dataclass

import numpy as np

from cftrain.advice.answer import Answer, Values
from cftrain.advice.images.form import WHITE, ImageForm


@dataclass(frozen=True, kw_only=True)
class PixelChanges:
    """The image afterwards, how much brighter each pixel is (height, width; the mean of
    its channels), and which pixels change at all.
    """

    after: np.ndarray
    brighter: np.ndarray
    changed: np.ndarray

    def text(self) -> str:
        """Returns what changes, counted and in values from 0 to 255."""
        by = np.abs(self.brighter[self.changed])
        mean = by.mean() if by.size else 0.0
        up, down = (self.brighter > 0).sum(), (self.brighter < 0).sum()
        return (
            f"{self.changed.sum()} of {self.changed.size} pixels change: {up} brighter "
            f"and {down} darker, by {mean:.0f} of {WHITE} on average and "
            f"{by.max(initial=0):.0f} at most"
        )


def pixel_changes(form: ImageForm, given: Values, answer: Answer) -> PixelChanges:
    """Returns what an answer changes about the image that was given."""
    before = form.pixels(given)
    after = form.pixels(given | {each.column: each.after for each in answer.changes})
    difference = after - before
    return PixelChanges(
        after=after,
        brighter=difference.mean(-1),
        changed=(difference != 0).any(-1),
    )
