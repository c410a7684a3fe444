"""How figures look: sizes in print, and what every objective and generator is drawn as.

Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart; line,
marker or hatch say the same without colour.
"""

from dataclasses import dataclass
from typing import Any

COLUMN, PAGE = 3.4, 7.0
"""Width of a text column and of a page, in inches."""

PRINT: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "figure.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,  # TrueType: publishers refuse Type 3
    "text.parse_math": False,  # names may have dollars in them
}
"""Settings of matplotlib for figures that are printed at their own size."""

AS_WRITTEN: dict[Any, Any] = {"text.parse_math": False}
"""For pictures of a size of their own."""

INK, GREY = "#333333", "#8c8c8c"


@dataclass(frozen=True, kw_only=True)
class Style:
    """Colour, and what replaces it in black and white."""

    colour: str
    line: str | tuple[int, tuple[int, ...]]
    marker: str
    hatch: str


OBJECTIVE_STYLES = {
    "full": Style(colour="#0072B2", line="-", marker="o", hatch=""),
    "energy": Style(colour="#009E73", line=":", marker="^", hatch="////"),
    "adversarial": Style(colour="#D55E00", line="-.", marker="s", hatch="...."),
    "vanilla": Style(colour="#595959", line="--", marker="D", hatch="xxxx"),
    "aligned": Style(colour="#6F4E9B", line=(0, (5, 1)), marker="v", hatch="\\\\"),
    "logistic": Style(colour="#B09CD0", line=(0, (1, 3)), marker="<", hatch="\\|"),
    "alignment": Style(colour="#8A6D3B", line=(0, (3, 3)), marker=">", hatch="++"),
    "pgd": Style(colour="#882255", line=(0, (7, 2, 1, 2)), marker="P", hatch="oo"),
    "gradient_penalty": Style(
        colour="#44AA99", line=(0, (2, 1, 1, 1)), marker="X", hatch="--"
    ),
    "smoothing": Style(
        colour="#999933", line=(0, (1, 1, 4, 1)), marker="*", hatch="||"
    ),
    "recourse": Style(colour="#332288", line=(0, (4, 1, 1, 1)), marker="h", hatch="O"),
    "jem": Style(colour="#CC6677", line=(0, (8, 2)), marker="d", hatch="**"),
    "counternet": Style(
        colour="#DDAA33", line=(0, (6, 1, 1, 1, 1, 1)), marker="8", hatch="+"
    ),
    # Of five baselines: no objective, but a method like the others.
    "ensemble": Style(colour="#117733", line=(0, (1, 2)), marker="p", hatch=".."),
}

GENERATOR_STYLES = {
    "ecco": Style(colour="#56B4E9", line="-", marker="o", hatch=""),
    "generic": Style(colour="#E69F00", line="--", marker="s", hatch="////"),
    "revise": Style(colour="#CC79A7", line=":", marker="^", hatch="...."),
    "nearest": Style(colour="#009E73", line="-.", marker="D", hatch="xxxx"),
    "path": Style(
        colour="#0072B2", line=(0, (4, 1, 1, 1, 1, 1)), marker="v", hatch="++"
    ),
    "counternet": Style(
        colour="#D55E00", line=(0, (6, 1, 1, 1)), marker="8", hatch="oo"
    ),
}

STYLES = OBJECTIVE_STYLES | GENERATOR_STYLES

PLAIN = Style(colour="#BBBBBB", line="-", marker="o", hatch="")
"""What has no name of its own."""
