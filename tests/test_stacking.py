from dataclasses import dataclass

import pytest
import torch

from cftrain import stacking
from cftrain.errors import StackError
from tests import builders

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Inner:
    weight: float
    name: str


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner
    rate: float
    count: int
    flag: bool
    pair: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class OtherInner:
    weight: float
    name: str


def outer(weight=0.5, rate=0.1, name="a", count=3, flag=True, pair=(1.0, 2.0)) -> Outer:
    inner = Inner(weight=weight, name=name)
    return Outer(inner=inner, rate=rate, count=count, flag=flag, pair=pair)


MEMBERS = [outer(0.5, 0.1), outer(1.5, 0.2), outer(2.5, 0.3)]


def test_floats_become_columns_and_all_else_stays():
    found = stacking.stack(MEMBERS, dtype=torch.float64, device=CPU)
    assert found.rate.tolist() == [[0.1], [0.2], [0.3]]
    assert found.inner.weight.tolist() == [[0.5], [1.5], [2.5]]
    assert (found.inner.name, found.count, found.flag) == ("a", 3, True)
    assert found.pair == (1.0, 2.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_columns_have_the_wanted_type(dtype):
    found = stacking.stack(MEMBERS, dtype=dtype, device=CPU)
    assert found.rate.dtype == found.inner.weight.dtype == dtype


def test_a_stack_of_one_is_stacked_too():
    found = stacking.stack(MEMBERS[:1], dtype=torch.float64, device=CPU)
    assert found.rate.tolist() == [[0.1]]


@pytest.mark.parametrize("cells", [[0], [2], [2, 0], [], slice(1, 2), slice(0, 3)])
def test_selecting_is_stacking_the_selected(cells):
    whole = stacking.stack(MEMBERS, dtype=torch.float64, device=CPU)
    found = stacking.select(whole, cells)
    chosen = MEMBERS[cells] if isinstance(cells, slice) else [MEMBERS[c] for c in cells]
    assert found.rate.flatten().tolist() == [member.rate for member in chosen]
    assert found.inner.weight.shape == (len(chosen), 1)
    assert found.inner.weight.flatten().tolist() == [m.inner.weight for m in chosen]
    assert found.inner.name == "a"


def test_selecting_from_what_is_not_stacked_changes_nothing():
    assert stacking.select(MEMBERS[0], [0]) == MEMBERS[0]


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (outer(count=4), "Outer.count"),
        (outer(flag=False), "Outer.flag"),
        (outer(pair=(1.0, 3.0)), "Outer.pair"),
        (outer(name="b"), "Inner.name"),
    ],
)
def test_what_is_no_float_has_to_agree(other, field):
    with pytest.raises(StackError, match=rf"{field}: expected the same value.*got"):
        stacking.stack([outer(), other], dtype=torch.float64, device=CPU)


def test_classes_have_to_agree():
    generators = [builders.generic(), builders.ecco()]
    with pytest.raises(StackError, match="expected objects of one class, got"):
        stacking.stack(generators, dtype=torch.float64, device=CPU)
    searches = [builders.search(generator) for generator in generators]
    with pytest.raises(StackError, match=r"got \['Ecco', 'Generic'\]"):
        stacking.stack(searches, dtype=torch.float64, device=CPU)
