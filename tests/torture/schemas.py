"""Random schemas of constraints with rows to search from, and what holds at the end."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from cftrain.counterfactuals.categories import (
    Categories,
    Free,
    Relaxed,
    Snap,
    SnappedState,
)
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.maturity import Never, Threshold
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.counterfactuals.space import FeatureSpace
from cftrain.data.constraints import KINDS, Constraints, mutability_flags
from cftrain.generators.latent import LatentSpace
from cftrain.generators.observed import FeasiblePath, Nearest
from cftrain.models.vae import VaeSpec, initial
from tests import builders
from tests.builders import CLASSES, normal

FEATURES = 7
ROWS = 12
CPU = torch.device("cpu")
SPEC = VaeSpec(
    latent=2,
    hidden=5,
    epochs=1,
    batch_rows=16,
    learning_rate=0.01,
    decoder_decay=0.01,
    seed=3,
)
CATEGORIES: dict[str, Categories] = {
    "free": Free(),
    "snap": Snap(),
    "relaxed": Relaxed(temperature=0.5),
    "snapped": SnappedState(extra_members={}),
    "snapped_adult": SnappedState(extra_members={"a": ("b",)}),
}
"""The last one is fitted to a schema whose first group holds a numeric input too."""

GENERATORS = (
    "generic",
    "ecco",
    "revise",
    "revise_mean",
    "ecco_latent",
    "nearest",
    "path",
)


def generator(name: str, dtype: torch.dtype, observed: Tensor) -> Generator:
    """A generator of a name, in a small latent space where it has one, or among some
    observed rows.
    """
    if name in ("nearest", "path"):
        values = {"name": name, "space": FeatureSpace(), "rows": ROWS}
        if name == "path":
            values |= {"neighbours": 3, "power": 2.0}
        kind = Nearest if name == "nearest" else FeasiblePath
        return kind(**values).fitted(observed, Path())
    network = initial(SPEC, features=FEATURES).to(dtype=dtype, device=CPU)
    sample = LatentSpace(encoding="sample", vae=SPEC, network=network)
    generic, ecco = builders.generic(0.1), builders.ecco(0.1, 3.0, "constant")
    return {
        "generic": generic,
        "ecco": ecco,
        "revise": replace(generic, space=sample),
        "revise_mean": replace(generic, space=replace(sample, encoding="mean")),
        "ecco_latent": replace(ecco, space=sample),
    }[name]


@dataclass(frozen=True)
class Case:
    """A schema, and rows that start inside, outside and on its bounds."""

    limits: Constraints
    factual: Tensor


def case(seed: int, dtype: torch.dtype) -> Case:
    """Up to two one-hot groups before numeric inputs of every kind of mutability."""
    draws = torch.Generator().manual_seed(seed)

    def pick(count: int) -> int:
        return int(torch.randint(count, (), generator=draws))

    sizes = ((), (2,), (3,), (2, 2), (4,))[pick(5)]
    kinds: list[str] = []
    groups, first = [], 0
    for size in sizes:
        kinds += [("free", "immutable")[pick(2)]] * size
        groups.append(tuple(range(first, first + size)))
        first += size
    kinds += [KINDS[pick(4)] for _ in range(FEATURES - first)]
    lower = 3 * torch.rand(FEATURES, generator=draws, dtype=torch.float64) - 2
    upper = lower + 0.1 + 3 * torch.rand(FEATURES, generator=draws, dtype=torch.float64)
    lower[torch.rand(FEATURES, generator=draws) < 0.1] = -torch.inf
    upper[torch.rand(FEATURES, generator=draws) < 0.1] = torch.inf
    lower[:first], upper[:first] = 0.0, 1.0
    increase, decrease = mutability_flags(kinds)
    limits = Constraints(
        lower=lower,
        upper=upper,
        may_increase=increase,
        may_decrease=decrease,
        groups=tuple(groups),
    ).to(dtype=dtype, device=CPU)
    factual = 2 * normal(1, ROWS, FEATURES, seed=seed).to(dtype)
    inside = torch.clamp(factual, limits.lower, limits.upper)
    factual[:, 4:8] = inside[:, 4:8]
    corner = torch.where(limits.lower.isfinite(), limits.lower, factual[:, 8:])
    factual[:, 8:] = corner  # on the bound
    for group in groups:
        factual[..., list(group)] = torch.nn.functional.one_hot(
            factual[..., list(group)].argmax(-1), len(group)
        ).to(dtype)
    return Case(limits, factual)


def searched(
    seed: int, dtype: torch.dtype, name: str, categories: str
) -> tuple[Case, SearchResult, tuple[int, ...]]:
    """The end of a search, and the inputs that its categories move past the domain."""
    drawn = case(seed, dtype)
    chosen, extra = CATEGORIES[categories], ()
    if categories == "snapped_adult":
        groups = drawn.limits.groups
        extra = (FEATURES - 1,) if groups else ()
        joined = ((*groups[0], *extra), *groups[1:]) if groups else ()
        chosen = replace(chosen, groups=joined)
    search = CounterfactualSearch(
        generator=generator(name, dtype, drawn.factual[0]),
        # Some rows are mature where they start and never move.
        maturity=Threshold(threshold=0.5) if seed % 3 else Never(),
        descent=GradientDescent(step_size=0.7, max_steps=1 + seed % 5, epsilon=0.3),
        categories=chosen,
    )
    found = search(
        builders.mlp(1, features=FEATURES, seed=seed % 50, scale=3.0, dtype=dtype),
        drawn.factual,
        builders.integers(CLASSES, 1, ROWS, seed=seed),
        constraints=drawn.limits,
        streams=builders.streams(1, seed),
    )
    return drawn, found, extra


def broken_inputs(drawn: Case, x: Tensor) -> Tensor:
    """Which inputs break the schema, said input by input and without any tolerance.

    A second account of `Constraints.violations`: a protected input may be between its
    factual and the domain, a free one in the domain only.
    """
    limits, broken = drawn.limits, []
    for place in range(FEATURES):
        start, end = drawn.factual[..., place], x[..., place]
        low, high = limits.lower[place], limits.upper[place]
        up, down = bool(limits.may_increase[place]), bool(limits.may_decrease[place])
        outside = (end < low) | (end > high)
        if not (up and down):
            outside &= (end < torch.minimum(low, start)) | (
                end > torch.maximum(high, start)
            )
        moved_up, moved_down = end > start, end < start
        wrong_way = (moved_up & (not up)) | (moved_down & (not down))
        broken.append(outside | wrong_way | ~end.isfinite())
    return torch.stack(broken, -1)


def check(seed: int, dtype: torch.dtype, name: str, categories: str) -> int:
    """Checks a search; how many of its rows broke the schema, all of them counted."""
    drawn, found, extra = searched(seed, dtype, name, categories)
    x, limits = found.counterfactual, drawn.limits
    broken = broken_inputs(drawn, x)
    counted = limits.violations(x, drawn.factual, tolerance=0)
    assert (counted == broken.any(-1)).all()
    # Only what never moved may be outside, where it started, and else nothing.
    stayed = (found.steps == 0).unsqueeze(-1) & (x == drawn.factual)
    started = broken_inputs(drawn, drawn.factual)
    unexplained = broken & ~(stayed & started)
    unexplained[..., list(extra)] = False
    assert not unexplained.any()
    if categories not in ("free", "snapped_adult"):
        for group in limits.groups:
            inputs = x[..., list(group)]
            assert ((inputs == 0) | (inputs == 1)).all()
            assert (inputs.sum(-1) == 1).all()
    positive = limits.protect(normal(1, ROWS, FEATURES, seed=1).to(dtype), x)
    rewarded = positive - x
    assert ((rewarded <= 0) | limits.may_increase).all()
    assert ((rewarded >= 0) | limits.may_decrease).all()
    return int(broken.any(-1).sum())
