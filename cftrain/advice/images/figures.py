"""Images and what answers change about them, as parts of a page."""

from collections.abc import Sequence
from html import escape

import numpy as np

from cftrain.advice.advice import Advice
from cftrain.advice.images.changes import pixel_changes
from cftrain.advice.images.form import WHITE, ImageForm
from cftrain.advice.images.png import data_address
from cftrain.advice.wording import share_text

BRIGHTER, DARKER = (0, 114, 178), (213, 94, 0)
"""Blue and orange, which nearly everybody can tell apart, by day and by night."""


def given_figure(advice: Advice, form: ImageForm) -> str:
    """Returns the image of a row, if there is no answer that shows it."""
    said = f"given, decided {advice.decision}"
    return figures([(form.pixels(advice.given), said)])


def answer_figures(advice: Advice, number: int, form: ImageForm) -> str:
    """Returns what an answer looks like beside the image that was given."""
    answer = advice.answers[number]
    changes = pixel_changes(form, advice.given, answer)
    shown = [
        (form.pixels(advice.given), f"given, decided {advice.decision}"),
        (changes.after, f"answer, decided {advice.target}"),
        (signed(changes.brighter), "the change"),
    ]
    if answer.nearest is not None:
        near = form.pixels(answer.nearest)
        shown.append((near, f"observed {advice.target}, the nearest"))
    return f"{figures(shown)}<p>{escape(changes.text())}.</p>\n"


def share_figures(shares: np.ndarray, by: np.ndarray) -> str:
    """Returns, for all answers, which share of them changes a pixel (height, width),
    and by how much brighter they make it in the median.
    """
    most, least = share_text(float(shares.max())), share_text(float(shares.min()))
    opaque = np.zeros((*shares.shape, 4))
    opaque[..., :3] = BRIGHTER
    opaque[..., 3] = WHITE * shares
    strongest = float(np.abs(by).max())
    return figures(
        [
            (opaque, f"share of the answers that change a pixel: {least} to {most}"),
            (signed(by), f"median change: at most {strongest:.0f} of {WHITE}"),
        ]
    )


def signed(brighter: np.ndarray) -> np.ndarray:
    """Returns differences of brightness (height, width) as colours: blue is brighter,
    orange is darker, the strongest change opaque and no change not there at all.
    """
    strongest = float(np.abs(brighter).max()) or 1.0
    colours = np.where((brighter > 0)[..., None], BRIGHTER, DARKER)
    opaque = WHITE * np.abs(brighter) / strongest
    return np.concatenate([colours, opaque[..., None]], axis=-1)


def figures(shown: Sequence[tuple[np.ndarray, str]]) -> str:
    """Returns images (height, width, channel) side by side, each above its words."""
    parts = "".join(
        f'<figure><img src="{data_address(pixels)}" alt="{escape(words)}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
        for pixels, words in shown
    )
    return f'<div class="images">{parts}</div>\n'
