"""What is unusual about rows of a file, told beside what is said of them."""

from collections.abc import Iterable, Iterator

from cftrain.advice.advice import Advice
from cftrain.errors import warn

MOST_WARNINGS = 10


def warned(advice: Iterable[Advice]) -> Iterator[Advice]:
    """The same advice; what is unusual about rows of a file is told beside it."""
    count = 0
    for each in advice:
        for note in each.notes:
            count += 1
            if count <= MOST_WARNINGS:
                warn(f"row {each.row + 1}: {note}")
        yield each
    if count > MOST_WARNINGS:
        warn(f"and {count - MOST_WARNINGS} more such values")
