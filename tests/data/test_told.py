from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cftrain.data.columns import NumericColumn
from cftrain.data.constraints import unconstrained
from cftrain.data.encoding import Codec
from cftrain.data.fitting import decimals_of
from cftrain.data.told import as_given, told
from tests.advice import lending

MUTABILITY = st.fixed_dictionaries(
    {
        "age": st.sampled_from(["free", "immutable", "increase", "decrease"]),
        "debt": st.sampled_from(["free", "immutable", "increase", "decrease"]),
        "job": st.sampled_from(["free", "immutable"]),
    }
)


@pytest.mark.parametrize(
    ("numbers", "decimals"),
    [
        ([1, 2, 30], 0),
        ([1.0, -2.0], 0),
        ([0.25, 7], 2),
        ([0.1, 0.2, 0.3], 1),
        ([1 / 3], None),
        ([1e-7], None),
        ([1e18, 1], 0),
    ],
)
def test_decimals_are_those_that_the_numbers_are_written_with(numbers, decimals):
    assert decimals_of(np.array(numbers, dtype=np.float64)) == decimals


@given(MUTABILITY, st.integers(0, 2**31), st.floats(0.01, 5))
def test_what_is_told_obeys_the_constraints_in_raw_units(mutability, seed, size):
    """Exactly: bounds, directions, whole numbers, cents and levels."""
    limits, codec = lending.constraints(**mutability), lending.codec()
    factual = as_given(lending.frame(seed % 97, 20), codec)
    noise = size * torch.randn(
        factual.inputs.shape, generator=torch.Generator().manual_seed(seed)
    )
    start = factual.inputs.unsqueeze(0)
    (moved,) = limits.clamp(start + limits.restrict(noise.unsqueeze(0)), start)
    found = told(moved, factual, codec, limits).raw
    before = factual.raw
    for name in ("age", "debt"):
        change = found[name].astype(float) - before[name].astype(float)
        kind = mutability[name]
        assert (change <= 0).all() or kind in ("free", "increase")
        assert (change >= 0).all() or kind in ("free", "decrease")
    assert found["age"].between(18, 90).all()
    assert (found["debt"] >= 0).all()
    assert all(float(age).is_integer() for age in found["age"])
    cents = found["debt"].astype(float) * 100
    assert np.allclose(cents, np.rint(cents), atol=1e-6)
    assert set(found["job"]) <= {"baker", "clerk", "nurse"}
    assert (found["job"] == before["job"]).all() or mutability["job"] == "free"


def test_the_inputs_are_those_of_the_printed_values():
    codec, limits = lending.codec(), lending.constraints()
    factual = as_given(lending.frame(3, 30), codec)
    found = told(factual.inputs + 0.37, factual, codec, limits)
    assert torch.equal(found.inputs, codec.encode(found.raw))


def test_what_did_not_move_is_told_as_it_was_given():
    """Also a value that is no whole number in a column of whole ones."""
    codec, limits = lending.codec(), lending.constraints()
    odd = lending.frame(3, 5).astype({"age": float})
    odd.loc[0, "age"] = 33.3
    factual = as_given(odd, codec)
    found = told(factual.inputs, factual, codec, limits)
    assert found.raw.equals(factual.raw)


@pytest.mark.parametrize(
    ("decimals", "deviation", "shown"),
    [(0, 0.001, 0), (2, 1000.0, 2), (None, 0.3, 3), (None, 25.0, 1), (None, 5e6, 0)],
)
def test_numbers_on_no_grid_are_told_to_a_thousandth_of_their_spread(
    decimals, deviation, shown
):
    column = NumericColumn(name="x", mean=0.0, deviation=deviation, decimals=decimals)
    assert column.told_decimals == shown


def test_a_move_that_cannot_be_told_is_none():
    codec, limits = lending.codec(), lending.constraints()
    factual = as_given(lending.frame(3, 20), codec)
    rate = codec.columns[2]
    nearly = factual.inputs.clone()
    nearly[:, 2] += 0.0004 / rate.deviation
    found = told(nearly, factual, codec, limits)
    assert found.raw.equals(factual.raw)
    farther = factual.inputs.clone()
    farther[:, 2] += 0.02 / rate.deviation
    shown = told(farther, factual, codec, limits).raw["rate"].astype(float)
    assert np.allclose(shown * 1000, np.rint(shown * 1000), atol=1e-6)


def test_bounds_between_two_whole_numbers_hold():
    codec = lending.codec()
    limits = lending.constraints()
    age = codec.columns[0]
    upper = limits.upper.clone()
    upper[0] = age.scaled(60.7)
    limits = replace(limits, upper=upper)
    factual = as_given(lending.frame(3, 40), codec)
    start = factual.inputs.unsqueeze(0)
    (moved,) = limits.clamp(start + 9, start)
    assert (told(moved, factual, codec, limits).raw["age"] == 60).all()


@pytest.mark.parametrize("decimals", [3, None])
@pytest.mark.parametrize("bound", [146286.612, -0.0625, 1.0])
def test_bounds_hold_where_float32_has_fewer_digits(decimals, bound):
    """In a column of large numbers a bound is known to a hundredth only."""
    column = NumericColumn(name="x", mean=3e5, deviation=1e5, decimals=decimals)
    codec = Codec(columns=(column,))
    scaled = torch.tensor([column.scaled(bound)])
    limits = replace(unconstrained(1), lower=scaled)
    factual = as_given(pd.DataFrame({"x": np.linspace(2e5, 9e5, 50)}), codec)
    found = told(scaled.expand(50, 1), factual, codec, limits).raw["x"]
    assert (found >= bound).all()
    assert (found <= bound + 1.1).all()


def test_a_bound_on_the_grid_is_reached():
    """Also one that is not exact in float32."""
    column = NumericColumn(name="x", mean=0.3, deviation=0.17, decimals=2)
    codec = Codec(columns=(column,))
    high = torch.tensor([column.scaled(0.29)])
    limits = replace(unconstrained(1), upper=high)
    factual = as_given(pd.DataFrame({"x": [0.1, 0.2, 0.29]}), codec)
    found = told(high.expand(3, 1), factual, codec, limits).raw["x"]
    assert found.tolist() == [0.29, 0.29, 0.29]


@pytest.mark.parametrize("kind", ["free", "increase"])
@pytest.mark.parametrize("step", [0.3, 5.0])
def test_what_starts_outside_its_domain_moves_inside_or_stays(kind, step):
    """Debt of -3000 with a domain from 0 on: never told as -500."""
    codec, limits = lending.codec(), lending.constraints(debt=kind)
    odd = lending.frame(3, 4).astype({"debt": float})
    odd["debt"] = [-3000.0, -3000.0, -0.5, 10.0]
    factual = as_given(odd, codec)
    start = factual.inputs.unsqueeze(0)
    move = torch.zeros_like(start)
    move[0, [0, 2, 3], 1] = step
    (moved,) = limits.clamp(start + limits.restrict(move), start)
    found = told(moved, factual, codec, limits).raw["debt"].astype(float)
    assert found[0] >= 0
    assert found[2] >= 0
    assert found[3] > 10
    # Not asked to move: only what is free is brought into the domain.
    assert found[1] == (0 if kind == "free" else -3000)


def test_what_may_only_go_down_stays_below_its_domain():
    codec, limits = lending.codec(), lending.constraints(debt="decrease")
    odd = lending.frame(3, 2).astype({"debt": float})
    odd["debt"] = [-3000.0, 10.0]
    factual = as_given(odd, codec)
    found = told(factual.inputs - 1, factual, codec, limits).raw["debt"]
    assert found.astype(float).tolist() == [-3000, 0]
