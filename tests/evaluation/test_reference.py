import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from cftrain.evaluation import reference as reference_module
from cftrain.evaluation.reference import ReferenceClass
from tests.builders import normal
from tests.evaluation.individuals import reference

# Few different numbers: ties between queries and rows are the rule.
TABLES = st.tuples(
    st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.integers(0, 99)
)


def brute_force(queries: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(cdist(queries, rows, "cityblock").mean(1))


@given(TABLES)
def test_mean_distance_is_that_of_all_pairs_also_with_ties(sizes):
    rows, queries, features, seed = sizes
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randint(-3, 4, (rows + queries, features), generator=generator)
    table, asked = draw.double().split([rows, queries])
    found = ReferenceClass(table).mean_distance(asked)
    torch.testing.assert_close(found, brute_force(asked, table))


def test_mean_distance_of_many_rows_and_features():
    rows, asked = normal(700, 40, seed=1), 2 * normal(50, 40, seed=2)
    found = ReferenceClass(rows).mean_distance(asked)
    torch.testing.assert_close(found, brute_force(asked, rows), rtol=1e-12, atol=0)


def test_numbers_are_summed_in_double_precision():
    rows = (1e4 + normal(2000, 3, seed=3)).float()
    asked = (1e4 + normal(5, 3, seed=4)).float()
    found = ReferenceClass(rows).mean_distance(asked)
    assert found.dtype == torch.float64
    exact = brute_force(asked.double(), rows.double())
    torch.testing.assert_close(found, exact, rtol=1e-9, atol=0)


def test_beyond_all_rows_the_distance_is_that_to_the_mean():
    rows = normal(30, 2, seed=5)
    asked = torch.tensor([[100.0, 100.0], [-100.0, 100.0]], dtype=torch.float64)
    expected = (asked - rows.mean(0)).abs().sum(1)
    torch.testing.assert_close(ReferenceClass(rows).mean_distance(asked), expected)


def test_the_order_of_rows_and_a_shift_of_all_change_nothing():
    rows, asked = normal(20, 3, seed=6), normal(4, 3, seed=7)
    plain = ReferenceClass(rows).mean_distance(asked)
    turned = ReferenceClass(rows.flip(0)).mean_distance(asked)
    torch.testing.assert_close(turned, plain, rtol=1e-13, atol=0)
    shifted = ReferenceClass(rows + 5).mean_distance(asked + 5)
    torch.testing.assert_close(shifted, plain)


def test_a_class_without_rows_has_no_distance():
    found = ReferenceClass(normal(0, 3)).mean_distance(normal(4, 3))
    assert found.shape == (4,)
    assert found.isnan().all()
    found = ReferenceClass(normal(0, 3)).mean_euclidean_distance(normal(4, 3))
    assert found.isnan().all()


@pytest.mark.parametrize("features", [2, 40])
def test_mean_euclidean_distance_is_that_of_all_pairs(features, monkeypatch):
    rows, asked = normal(70, features, seed=1), 2 * normal(50, features, seed=2)
    expected = torch.from_numpy(cdist(asked, rows).mean(1))
    found = ReferenceClass(rows).mean_euclidean_distance(asked)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)
    monkeypatch.setattr(reference_module, "DISTANCES", 700)
    portions = ReferenceClass(rows).mean_euclidean_distance(asked)
    torch.testing.assert_close(portions, found)


def test_drawn_rows_are_of_the_class_and_a_function_of_the_seed():
    rows = ReferenceClass(normal(20, 2))
    drawn = rows.drawn(12, 1)
    own = {tuple(row) for row in rows.rows.tolist()}
    assert {tuple(row) for row in drawn.rows.tolist()} <= own
    assert len(drawn.rows) == 12
    assert len(rows.drawn(1000, 1).rows) == 20
    assert len(rows.drawn(1000, 1).rows.unique(dim=0)) < 20
    assert torch.equal(drawn.rows, rows.drawn(12, 1).rows)
    assert not torch.equal(drawn.rows, rows.drawn(12, 2).rows)
    assert len(ReferenceClass(rows.rows[:0]).drawn(12, 1).rows) == 0


def test_preparations_are_made_once_for_each_class_and_argument():
    made = []

    def prepare(observed: ReferenceClass, factor: int) -> float:
        made.append(factor)
        return factor * observed.rows.sum().item()

    both = reference(normal(3, 2, seed=1), normal(4, 2, seed=2))
    for _ in range(2):
        for label in range(2):
            for factor in (1, 3):
                found = both.of(label).once(prepare, factor)
                assert found == factor * both.of(label).rows.sum().item()
    assert made == [1, 3, 1, 3]


def test_rows_belong_to_the_class_of_their_label():
    classes = [normal(count, 2, seed=count) for count in (3, 0, 2)]
    made = reference(*classes)
    shuffled = torch.tensor([4, 0, 3, 1, 2])
    mixed = type(made)(made.features[shuffled], made.labels[shuffled], 3)
    for label, rows in enumerate(classes):
        assert torch.equal(made.of(label).rows, rows)
        found = {tuple(row) for row in mixed.of(label).rows.tolist()}
        assert found == {tuple(row) for row in rows.tolist()}
