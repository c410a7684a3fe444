"""Networks become models of a run: their parameters are keys, their faults are told."""

import pickle
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from cftrain.config.build import build_object
from cftrain.config.identity import describe
from cftrain.errors import ArgumentError, ConfigError, ModelError
from cftrain.models.adopted import given, network_name, spec_of
from cftrain.models.classifier import ModelSpec
from cftrain.models.signature import is_network
from tests.builders import streams
from tests.models.networks import FAULTS, Faulty, Pictures, Tabular, spec


class Various(nn.Module):
    def __init__(
        self,
        features: int,
        widths: Sequence[int] = (3, 4),
        shape: tuple[int, int] | None = None,
        gain=2,
        activation: type[nn.Module] = nn.ReLU,
        **others: object,
    ) -> None:
        super().__init__()
        assert isinstance(widths, list)
        self.outputs = nn.Linear(features, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.outputs(x)


def made(features: int, classes: int, *, width: int = 5) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, width), nn.Linear(width, classes))


def unannotated(features, classes):
    return nn.Linear(features, classes)


def unmade(features):
    return features


class Needy(nn.Module):
    def __init__(self, features: int, activation: Callable[..., nn.Module]) -> None:
        super().__init__()


def model(**node: object) -> ModelSpec:
    return build_object(node, ModelSpec, "model")


def test_parameters_are_keys_with_their_defaults():
    name = given(Tabular)
    found = model(_target_=name, width=3)
    described = {"_target_": name, "name": "tabular", "row_shape": None}
    assert describe(found) == {**described, "width": 3, "dropout": 0.0}
    assert model(**describe(found)) == found
    assert found != model(_target_=name)


def test_defaults_are_what_a_file_would_say():
    found = model(_target_=given(Various))
    values = {"widths": [3, 4], "shape": None, "gain": 2}
    assert describe(found).items() >= values.items()
    assert "activation" not in describe(found)
    built = found.build(features=4, classes=3, streams=streams(2))
    assert "outputs.weight" in built.state_dict()


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ({"width": "wide"}, "model.width: expected a whole number, got 'wide'"),
        ({"dropout": "no"}, "model.dropout: expected a finite number"),
        ({"depth": 2}, "model.depth: expected one of name, row_shape, width, dropout"),
        ({"row_shape": 4}, "model.row_shape: expected a list"),
        ({"row_shape": [0, 4]}, "model.row_shape.0: expected a whole number >= 1"),
    ],
)
def test_wrong_values_are_told_by_their_keys(node, told):
    with pytest.raises(ConfigError, match=told):
        model(_target_=given(Tabular), **node)


def test_functions_that_make_networks_are_taken_as_well():
    found = model(_target_=given(made), width=7)
    built = found.build(features=4, classes=2, streams=streams(1))
    assert built.get_parameter("0.weight").shape == (1, 7, 4)


def test_a_network_that_nobody_has_named_is_none():
    with pytest.raises(ConfigError, match="model: expected a node whose _target_"):
        model(_target_="elsewhere:Net")


def test_a_parameter_that_no_file_can_give_is_told():
    with pytest.raises(ConfigError, match="got activation"):
        model(_target_=given(Needy))


def test_networks_have_the_names_of_their_packages():
    assert network_name(Tabular) == "tests:models.networks.Tabular"
    assert network_name(nn.Linear) == "torch:nn.modules.linear.Linear"


@pytest.mark.parametrize(
    "found", [3, "text", Tabular(2, 2), lambda features: nn.Linear(features, 2)]
)
def test_what_has_no_name_cannot_be_given(found):
    with pytest.raises(ArgumentError, match="model: expected a class"):
        given(found)


def test_networks_are_told_from_other_things():
    assert all(map(is_network, (Tabular, nn.Linear, made)))
    assert not any(map(is_network, (unannotated, int, 3, describe, torch)))


def test_workers_get_it_by_its_class():
    sent = spec(Tabular, width=4, dropout=0.1)
    assert pickle.loads(pickle.dumps(sent)) == sent
    assert spec_of(Tabular, "tests:Tabular") is type(sent)


def test_rows_have_the_shape_that_is_said():
    with pytest.raises(ConfigError, match=r"shape of 12 values.*got \[1, 3, 3\]"):
        spec(Pictures, row_shape=(1, 3, 3)).build(
            features=12, classes=3, streams=streams(1)
        )


def test_what_makes_no_network_is_refused():
    wrong = spec_of(unmade, "tests:unmade")(name="unmade", row_shape=None)
    with pytest.raises(ModelError, match=r"make a torch.nn.Module, got a int"):
        wrong.build(features=4, classes=3, streams=streams(1))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_told(fault):
    kind = ArgumentError if fault == "tuple" else ModelError
    before = torch.get_rng_state()
    with pytest.raises(kind, match=FAULTS[fault]):
        spec(Faulty, fault=fault).build(features=4, classes=3, streams=streams(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_network_without_faults_is_taken():
    built = spec(Faulty, fault="none").build(features=4, classes=3, streams=streams(2))
    assert not built.in_turns
