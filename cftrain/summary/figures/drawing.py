"""A figure before it is written."""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure, what it is called and what it shows; its files are called `name`.

    The caption says all that is needed to read the figure by itself.
    """

    name: str
    title: str
    caption: str
    figure: Figure
