"""The classes of images: the texts of their labels, in an order."""

from collections import Counter
from collections.abc import Sequence

from cftrain.data.columns import listed
from cftrain.data.tables.files import MANDATORY
from cftrain.errors import DataError

LEAST_IMAGES = 5
"""Of a class: fewer cannot be split into parts."""

MOST_CLASSES = 100
"""A label with more values is taken for something else, such as a measure."""


def class_order(name: str) -> tuple[bool, int, str]:
    """Returns what classes are sorted by: whole numbers by size, then texts."""
    number = name.isascii() and name.isdecimal() and len(name) < 19
    return not number, int(name) if number else 0, name


def class_names(
    where: str, labels: Sequence[str], wanted: Sequence[str] | None
) -> tuple[str, ...]:
    """Returns the classes in the wanted order, else sorted. Raises DataError."""
    counts = Counter(labels)
    found = sorted(counts, key=class_order)
    _check_names(where, found)
    if len(found) < 2:
        raise DataError(
            f"{where}: expected at least 2 classes, got {found[0]!r} of all "
            f"{len(labels)} images"
        )
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"{where}: expected at most {MOST_CLASSES} classes, got {len(found)}, such "
            f"as {listed(found[:3])}"
        )
    few = [f"{n} of {name!r}" for name, n in counts.items() if n < LEAST_IMAGES]
    if few:
        raise DataError(
            f"{where}: expected at least {LEAST_IMAGES} images of every class, got "
            f"only {', '.join(few[:12])}"
        )
    if wanted is None:
        return tuple(found)
    if sorted(wanted, key=class_order) != found:
        raise DataError(
            f"data.classes: expected the classes of {where} ({listed(found)}), each "
            f"once, got {listed(wanted)}"
        )
    return tuple(wanted)


def _check_names(where: str, names: Sequence[str]) -> None:
    """Raises DataError for names that people, or files, could not tell apart."""
    odd = [name for name in names if not name.isprintable() or not name.strip()]
    odd += [name for name in names if name == MANDATORY]
    if odd:
        raise DataError(
            f"{where}: expected classes with names that can be printed, got {odd[0]!r}"
        )
    folded: dict[str, str] = {}
    for name in names:
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            raise DataError(
                f"{where}: expected classes that differ by more than upper and lower "
                f"case, got {other!r} and {name!r}"
            )
