"""Counterfactuals of plain torch networks."""

import copy

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from torch import nn

import cftrain
from cftrain.config import tree
from cftrain.errors import ArgumentError, ConfigError, DataError, ModelError
from tests.api.networks import Answering, sequential, unstacked
from tests.builders import constraints, mlp, normal
from tests.console import run_of

ROWS = normal(9, 4)


def twins():
    """The same weights stacked, as ours, and plain."""
    model = mlp(1)
    weights = {name: values[0] for name, values in model.state_dict().items()}
    net = unstacked(weights)
    net[1] = nn.Tanh()
    return model, net


def test_it_is_the_search_of_a_training():
    model, net = twins()
    limits = constraints(["immutable", "free", "increase", "free"], -3, 3)
    words = ["generator=ecco", "search.max_steps=40", "maturity.threshold=0.5"]
    native = run_of(*words).counterfactual_search()
    target = torch.ones(1, 9, dtype=torch.int64)
    expected = native(model, ROWS[None], target, constraints=limits)
    found = cftrain.search_counterfactuals(
        net, ROWS, 1, constraints=limits, threshold=0.5, max_steps=40
    )
    for name in ("counterfactual", "nascent"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name))
    for name in ("mature", "finite", "steps", "target"):
        assert torch.equal(getattr(found, name), getattr(expected, name))
    assert found.mature.any()
    assert found.steps.max() > 1


def test_a_network_is_left_as_it_was():
    net = sequential()
    net[3].eval()
    net(ROWS).sum().backward()
    before = copy.deepcopy(net)
    gradients = [values.grad.clone() for values in net.parameters()]
    found = cftrain.search_counterfactuals(net, ROWS, 2)
    for values, other in zip(net.parameters(), before.parameters(), strict=True):
        assert torch.equal(values, other)
        assert values.requires_grad
    for values, gradient in zip(net.parameters(), gradients, strict=True):
        assert torch.equal(values.grad, gradient)
    for (name, values), other in zip(
        net.named_buffers(), before.buffers(), strict=True
    ):
        assert torch.equal(values, other), name
    modes = [module.training for module in net.modules()]
    assert modes == [module.training for module in before.modules()]
    assert not found.counterfactual.requires_grad


def test_rows_do_not_depend_on_each_other():
    net = sequential()  # in training mode, in which batch norm and dropout would
    together = cftrain.search_counterfactuals(net, ROWS, 2)
    alone = cftrain.search_counterfactuals(net, ROWS[3:4], 2)
    torch.testing.assert_close(
        together.counterfactual[:, 3:4], alone.counterfactual, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("without", [torch.no_grad, torch.inference_mode])
def test_it_needs_nothing_of_the_mode_of_its_caller(without):
    net = sequential()
    expected = cftrain.search_counterfactuals(net, ROWS, 2)
    with without():
        found = cftrain.search_counterfactuals(net, ROWS, 2)
    assert torch.equal(found.counterfactual, expected.counterfactual)


def test_the_callers_rows_stay_what_they_are():
    rows = ROWS.clone().requires_grad_()
    cftrain.search_counterfactuals(sequential(), rows, 2)
    assert torch.equal(rows, ROWS)
    assert rows.grad is None


def test_images_are_rows_of_their_own_shape():
    images = normal(4, 1, 3, 5)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(1)).double()
    found = cftrain.search_counterfactuals(net, images, 0, max_steps=60)
    assert found.counterfactual.shape == (1, 4, 15)
    reached = found.counterfactual[0].reshape(images.shape)
    assert (net(reached).argmax(1) == 0)[found.mature[0]].all()


def test_each_row_may_have_its_own_target():
    wanted = torch.arange(9) % 3
    found = cftrain.search_counterfactuals(sequential(), ROWS, wanted, max_steps=80)
    assert torch.equal(found.target[0], wanted)


def test_the_generator_and_its_weights_are_chosen():
    net = sequential()
    near = cftrain.search_counterfactuals(
        net, ROWS, 2, generator="generic", overrides=["generator.distance_weight=0.5"]
    )
    far = cftrain.search_counterfactuals(net, ROWS, 2, generator="generic")
    cost = [(f.counterfactual - f.factual).abs().sum() for f in (near, far)]
    assert cost[0] < cost[1]


def test_a_space_that_learns_needs_rows_to_learn_from():
    with pytest.raises(ConfigError, match="observed: expected rows"):
        cftrain.search_counterfactuals(
            sequential(dtype=torch.float32), ROWS.float(), 2, generator="revise"
        )


def test_a_hydra_program_of_the_caller_goes_on():
    with initialize_config_dir(str(tree.folder()), version_base="1.3"):
        own = GlobalHydra.instance().hydra
        words = {"max_steps": 7, "generator": "generic"}  # not composed before
        cftrain.search_counterfactuals(sequential(), ROWS, 2, **words)
        assert GlobalHydra.instance().hydra is own
        assert compose("run", ["seed=4"]).seed == 4


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        ({"net": lambda rows: rows}, ArgumentError, "expected a torch.nn.Module"),
        ({"net": Answering(lambda rows: (rows,))}, ArgumentError, "a tuple"),
        ({"net": Answering(lambda rows: rows[:1])}, ModelError, "for 2 rows"),
        ({"net": Answering(lambda rows: rows / 0)}, ModelError, "finite logits"),
        ({"net": sequential(5)}, ModelError, r"takes rows of shape \(4,\)"),
        ({"net": sequential().float()}, ModelError, "rows of torch.float32"),
        ({"net": sequential().to("meta")}, ModelError, "rows on meta"),
        ({"x": ROWS.numpy()}, ArgumentError, "expected a tensor"),
        ({"x": ROWS.long()}, ArgumentError, "expected floats, got torch.int64"),
        ({"x": ROWS[0]}, DataError, r"\(row, ...\), got \(4,\)"),
        ({"x": ROWS[:0]}, DataError, "at least one row"),
        ({"x": ROWS / 0}, DataError, "finite numbers, got 9 rows without"),
        (
            {"generator": "revise", "observed": ROWS[:, :2]},
            DataError,
            "observed: expected 4 values in each row, as in x, got 2",
        ),
        ({"target": 3}, DataError, r"classes 0 to 2, got \[3\]"),
        ({"target": -1}, DataError, "classes 0 to 2"),
        ({"target": torch.zeros(2, dtype=torch.int64)}, DataError, "or 9 of them"),
        ({"target": torch.zeros(9)}, ArgumentError, "whole numbers"),
        ({"target": "1"}, ArgumentError, "target: expected a class"),
        ({"constraints": constraints(["free"], 0, 1)}, DataError, "those of 4 values"),
        ({"constraints": (0, 1)}, ArgumentError, "cftrain.Constraints"),
        ({"generator": "ecko"}, ConfigError, "did you mean 'ecco'"),
        ({"max_steps": 0}, ConfigError, "search.max_steps: expected"),
        ({"threshold": 2.0}, ConfigError, "maturity.threshold: expected"),
        ({"overrides": ["search.max_step=3"]}, ConfigError, "search.max_steps"),
        ({"overrides": "seed=3"}, ArgumentError, "a list of texts"),
        ({"overrides": ["-m"]}, ConfigError, "got '-m'"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(changes, kind, told):
    net = sequential()
    given = {"net": net, "x": ROWS, "target": 2, **changes}
    with pytest.raises(kind, match=told):
        cftrain.search_counterfactuals(
            given.pop("net"), given.pop("x"), given.pop("target"), **given
        )
    assert all(module.training for module in net.modules())
    assert issubclass(kind, (ValueError, TypeError))
