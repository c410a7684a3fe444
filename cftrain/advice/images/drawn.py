"""Images as signs of a terminal: dark ones as spaces, in plain ASCII."""

from collections.abc import Sequence

import numpy as np

SIGNS = " .:-=+*#%@"
WIDEST = 36
"""Signs in a line of one image: two of them stand beside each other in 80."""

TALL = 2
"""How much taller than wide a sign is."""


def side_by_side(images: Sequence[np.ndarray], heads: Sequence[str]) -> list[str]:
    """Returns the lines of images of one size (height, width), values from 0 to 255,
    each below its head.
    """
    drawn = [drawing(image) for image in images]
    width = max(len(drawn[0][0]), *map(len, heads))
    rows = [heads, *zip(*drawn, strict=True)]
    return ["  ".join(f"{part:<{width}}" for part in row).rstrip() for row in rows]


def drawing(image: np.ndarray) -> list[str]:
    """Returns the lines of an image (height, width), its values from 0 to 255."""
    height, width = image.shape
    columns = min(width, WIDEST)
    lines = max(1, round(height * columns / width / TALL))
    shown = _means(height, lines) @ np.clip(image, 0, 255) @ _means(width, columns).T
    steps = np.rint(shown / 255 * (len(SIGNS) - 1)).astype(int)
    return ["".join(SIGNS[step] for step in line) for line in steps.tolist()]


def _means(size: int, parts: int) -> np.ndarray:
    """A row for each part: the share that each of `size` pixels has in its mean."""
    ends = np.linspace(0, size, parts + 1)
    pixels = np.arange(size)
    overlap = np.minimum(ends[1:, None], pixels + 1) - np.maximum(
        ends[:-1, None], pixels
    )
    covered = np.clip(overlap, 0, None)
    shares: np.ndarray = covered / covered.sum(1, keepdims=True)
    return shares
