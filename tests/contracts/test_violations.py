"""No generator's search breaks a constraint, whatever the schema, nor do positives."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cftrain.counterfactuals.categories import (
    Relaxed,
    Snap,
    SnappedState,
    valid_categories,
)
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.maturity import Never
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.constraints import KINDS, Constraints, mutability_flags
from cftrain.generators.latent import LatentSpace
from cftrain.models.vae import VaeSpec, initial
from tests import builders
from tests.builders import CLASSES, FEATURES, normal

ROWS = 6
SPEC = VaeSpec(
    latent=2,
    hidden=5,
    epochs=1,
    batch_rows=16,
    learning_rate=0.01,
    decoder_decay=0.01,
    seed=3,
)
CPU = torch.device("cpu")


def generators() -> dict[str, object]:
    network = initial(SPEC, features=FEATURES).to(dtype=torch.float64, device=CPU)
    sample = LatentSpace(encoding="sample", vae=SPEC, network=network)
    mean = replace(sample, encoding="mean")
    generic, ecco = builders.generic(0.1), builders.ecco(0.1, 3.0, "constant")
    return {
        "generic": generic,
        "ecco": ecco,
        "revise-sample": replace(generic, space=sample),
        "revise-mean": replace(generic, space=mean),
        "ecco-latent": replace(ecco, space=sample),
    }


Schema = tuple[list[str], list[float], list[float], bool]

SCHEMAS: st.SearchStrategy[Schema] = st.tuples(
    st.lists(st.sampled_from(KINDS), min_size=FEATURES, max_size=FEATURES),
    st.lists(st.floats(-2, 1), min_size=FEATURES, max_size=FEATURES),
    st.lists(st.floats(0.1, 3), min_size=FEATURES, max_size=FEATURES),
    st.booleans(),
)
"""A kind, a lower bound and a width for every feature; whether there is a category."""


def constrained(schema: Schema) -> Constraints:
    """The first two features are one-hot inputs if there is a category."""
    kinds, low, width, category = schema
    lower = torch.tensor(low, dtype=torch.float64)
    upper = lower + torch.tensor(width, dtype=torch.float64)
    if category:
        kind = "immutable" if kinds[0] == "immutable" else "free"
        kinds = [kind, kind, *kinds[2:]]
        lower[:2], upper[:2] = 0.0, 1.0
    increase, decrease = mutability_flags(kinds)
    return Constraints(
        lower=lower,
        upper=upper,
        may_increase=increase,
        may_decrease=decrease,
        groups=((0, 1),) if category else (),
    )


@pytest.mark.parametrize("name", list(generators()))
@pytest.mark.parametrize(
    "categories", [Snap(), Relaxed(temperature=0.5), SnappedState(extra_members={})]
)
@given(SCHEMAS, st.integers(0, 1000))
@settings(max_examples=25)
def test_searches_and_positives_keep_to_the_schema(name, categories, schema, seed):
    limits = constrained(schema)
    factual = 2 * normal(1, ROWS, FEATURES, seed=seed)
    if limits.groups:
        first = (factual[..., 0] > 0).double()
        factual[..., 0], factual[..., 1] = first, 1 - first
    target = builders.integers(CLASSES, 1, ROWS, seed=seed)
    found = CounterfactualSearch(
        generator=generators()[name],
        maturity=Never(),
        descent=GradientDescent(step_size=0.7, max_steps=6, epsilon=0.3),
        categories=categories,
    )(
        builders.mlp(1, seed=seed, scale=3.0),
        factual,
        target,
        constraints=limits,
        streams=builders.streams(1, seed),
    )
    assert not limits.violations(found.counterfactual, factual, tolerance=0).any()
    assert valid_categories(found.counterfactual, limits).all()
    positive = limits.protect(normal(1, ROWS, FEATURES, seed=1), found.counterfactual)
    for feature in range(FEATURES):
        gap = (positive - found.counterfactual)[..., feature]
        assert limits.may_increase[feature] or (gap <= 0).all()
        assert limits.may_decrease[feature] or (gap >= 0).all()
