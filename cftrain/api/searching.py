"""Counterfactuals of any network, by the one search of the package."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from cftrain.api.composing import NOWHERE, checked, with_configuration
from cftrain.api.networks import check_network, check_place, check_rows, targets
from cftrain.commands.command_line.options import Options, read
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.constraints import Constraints, unconstrained
from cftrain.data.sources import cache
from cftrain.errors import ArgumentError, ConfigError, DataError
from cftrain.models.module import stack_of_one, undisturbed
from cftrain.seeding import Stream


def search_counterfactuals(
    net: nn.Module,
    x: Tensor,
    target: int | Tensor,
    *,
    constraints: Constraints | None = None,
    generator: str = "ecco",
    threshold: float | None = None,
    max_steps: int | None = None,
    step_size: float | None = None,
    epsilon: float | None = None,
    seed: int = 0,
    observed: Tensor | None = None,
    overrides: Sequence[str] = (),
) -> SearchResult:
    """Returns counterfactuals of rows under any network.

    `net` maps (row, ...) to logits (row, class) and is used in evaluation mode; its
    modes, gradients and weights are the same afterwards. `x` (row, ...) are floats on
    the device and of the type of its weights, CPU or CUDA; `target` is a class, or one
    for each row (row,). `constraints` bound the values of a row, one after the other;
    without them every value is free.

    The search is the one of `cftrain train generator=... maturity.threshold=...
    search.max_steps=... search.step_size=... search.epsilon=...`, with the defaults of
    that command where nothing is given; `overrides` has further words of it, such as
    "generator.energy_weight=1" or "categories=snap". `step_size` and `epsilon` are in
    the units of `x`, `threshold` is a probability. `seed` counts for generators that
    draw; those that learn a space, such as "revise", need `observed` rows to learn it
    from.

    The result has the shapes (1, row, feature) and (1, row): a stack of one, in which a
    row's values lie one after the other; `counterfactual[0].reshape(x.shape)` has the
    shape of `x`. Rows that were not reached are not `mature`, which is no error.

    Raises ArgumentError (a TypeError) for arguments of wrong types and for networks
    that return no tensor; DataError, ModelError and ConfigError (ValueErrors) for rows,
    networks and settings that do not fit.

    >>> import cftrain
    >>> import torch
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
    ... )
    >>> x = torch.randn(5, 2)
    >>> found = cftrain.search_counterfactuals(net, x, 1, max_steps=200)
    >>> found.counterfactual.shape, found.mature.shape
    (torch.Size([1, 5, 2]), torch.Size([1, 5]))
    """
    check_network(net)
    check_rows(x, "x")
    check_place(net, x, "x")
    words = {
        "generator": generator,
        "maturity.threshold": threshold,
        "search.max_steps": max_steps,
        "search.step_size": step_size,
        "search.epsilon": epsilon,
    }
    given = [f"{key}={value}" for key, value in words.items() if value is not None]
    search = _search((*given, *checked(overrides)))
    # Whatever the caller does without gradients, a search needs them.
    with torch.inference_mode(False), undisturbed(net):
        rows = x.detach().clone()
        model = stack_of_one(net, rows)
        wanted = targets(
            target, rows=len(rows), classes=model.classes, device=rows.device
        )
        flat = rows.flatten(1)
        return _fitted(search, observed, flat)(
            model,
            flat.unsqueeze(0),
            wanted.unsqueeze(0),
            constraints=_limits(constraints, flat),
            streams=[Stream(seed)],
        )


@lru_cache(maxsize=64)
def _search(words: tuple[str, ...]) -> CounterfactualSearch:
    """The search that a training would use, not fitted to any data."""

    def search(config: DictConfig) -> CounterfactualSearch:
        return read(config, Options)[0].counterfactual_search()

    return with_configuration("run", [*words, NOWHERE], search)


def _fitted(
    search: CounterfactualSearch, observed: Tensor | None, rows: Tensor
) -> CounterfactualSearch:
    """The search made ready for rows like the observed ones. Raises ConfigError."""
    if not search.generator.learns:
        return search
    if observed is None:
        raise ConfigError(
            "observed: expected rows to learn the space of the generator from, got None"
        )
    check_rows(observed, "observed")
    pool = observed.detach().to(rows).flatten(1)
    if pool.shape[1] != rows.shape[1]:
        raise DataError(
            f"observed: expected {rows.shape[1]} values in each row, as in x, got "
            f"{pool.shape[1]}"
        )
    return replace(search, generator=search.generator.fitted(pool, cache()))


def _limits(constraints: Constraints | None, rows: Tensor) -> Constraints:
    """The constraints in the type and on the device of the rows. Raises DataError."""
    features = rows.shape[1]
    limits = unconstrained(features) if constraints is None else constraints
    if not isinstance(limits, Constraints):
        raise ArgumentError(
            f"constraints: expected cftrain.Constraints, got a {type(limits).__name__}"
        )
    if len(limits.lower) != features:
        raise DataError(
            f"constraints: expected those of {features} values, as a row of x has, got "
            f"{len(limits.lower)}"
        )
    return limits.to(dtype=rows.dtype, device=rows.device)
