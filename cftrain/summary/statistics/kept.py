"""Which epoch's weights a training has kept, from its history."""

import math
from collections.abc import Sequence


def kept_epoch(
    accuracies: Sequence[float], *, keep: str, ignored: int, validation_rows: int
) -> int:
    """Returns the epoch, counted from 1, that `schedule.keep` chose by the validation
    accuracy after each; the first `ignored` ones do not count.

    As `cftrain.training.keeping` finds it while a model is trained.
    """
    counting = accuracies[ignored:]
    if keep == "last" or not counting:
        return len(accuracies)
    best = max(counting)
    if keep == "best":
        return ignored + counting.index(best) + 1
    rows = validation_rows + 4
    share = (best * validation_rows + 2) / rows
    least = best - math.sqrt(share * (1 - share) / rows)
    return ignored + max(i for i, each in enumerate(counting, 1) if each >= least)
