"""Advice for rows that come in portions, of a file or of a stored model."""

from collections.abc import Iterable, Iterator

from cftrain.advice.advice import Advice, advise
from cftrain.advice.advisor import Advisor
from cftrain.advice.answer import observed_raw
from cftrain.advice.overview.grouping import Grouping
from cftrain.advice.raw_rows import Portion
from cftrain.advice.stored_model import StoredModel
from cftrain.data.constraints import Constraints
from cftrain.data.told import as_given
from cftrain.errors import ConfigError


def stored_portion(model: StoredModel, count: int, *, groups: str | None) -> Portion:
    """Returns the first test rows of a model, with the column that groups them.

    Raises ConfigError where there are none, or for a column that there is not.
    """
    codec = model.codec
    if model.test_rows is None:
        raise ConfigError(
            "rows: expected a file with rows to explain, or - for standard input, "
            "got null: no test rows are stored here"
        )
    if groups not in (None, *codec.inputs):
        raise ConfigError(
            f"groups: expected a column of {model.data} ({', '.join(codec.inputs)}), "
            f"got {groups}"
        )
    observed = model.test_rows[:count]
    raw = observed_raw(observed, codec, pixels=model.image_shape is not None)
    rows = as_given(raw, codec)
    values = None if groups is None else rows.raw[groups]
    return Portion(first_row=0, rows=rows, groups=values)


def advise_portions(
    advisor: Advisor,
    portions: Iterable[Portion],
    groups: Grouping | None,
    *,
    target: int | None,
    count: int,
    domain: Constraints,
) -> Iterator[Advice]:
    """Yields the advice for all rows, one after the other, each in its group.

    The rest is as for `advise`.
    """
    for portion in portions:
        labels = None
        if groups is not None and portion.groups is not None:
            labels = groups.labels(portion.groups)
        yield from advise(
            advisor,
            portion.rows,
            target=target,
            count=count,
            first_row=portion.first_row,
            groups=labels,
            names=portion.names,
            domain=domain,
        )
