import torch

from cftrain.counterfactuals.space import FeatureSpace, Noise
from cftrain.seeding import Stream
from tests.builders import normal

LIKE = torch.zeros((), dtype=torch.float64)


def noise(index: list[int], rows: int = 50, seed: int = 1) -> Noise:
    return Noise(stream=Stream(seed), rows=rows, index=torch.tensor(index))


def test_the_draw_of_a_row_does_not_depend_on_which_rows_are_left():
    every = noise(list(range(50))).normal(3, like=LIKE)
    assert every.shape == (1, 50, 3)
    left = noise([4, 7, 40]).normal(3, like=LIKE)
    assert torch.equal(left, every[:, [4, 7, 40]])


def test_draws_are_standard_normal_and_a_function_of_the_stream():
    found = noise(list(range(20_000)), rows=20_000).normal(2, like=LIKE)
    assert found.mean().abs() < 0.02
    assert abs(found.std() - 1) < 0.02
    assert (found[..., 0] * found[..., 1]).mean().abs() < 0.03
    assert found.dtype == torch.float64
    other = noise([0, 1], seed=2).normal(2, like=LIKE)
    assert not torch.equal(other, noise([0, 1]).normal(2, like=LIKE))


def test_a_state_of_the_feature_space_is_its_row():
    x, step = normal(1, 4, 3), normal(1, 4, 3, seed=1)
    space = FeatureSpace()
    assert space.encode(x, noise([0, 1, 2, 3], rows=4)) is x
    assert space.view(x, normal(1, 4, 3, seed=2)) is x
    assert space.move(x, step, x) is step
