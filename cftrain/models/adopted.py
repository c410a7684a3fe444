"""Any network of torch as the model of a run: its parameters are keys.

`model: {_target_: my_package.MyNet, width: 64}` makes `MyNet(features=..., classes=...,
width=64)` for each cell, with weights from the cell's own stream.
"""

import functools
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, make_dataclass
from math import prod
from typing import Annotated, Any, ClassVar

import torch
from torch import nn

from cftrain.config.names import found_at
from cftrain.config.outside import is_outside
from cftrain.config.plugins import at_path, plugin_of
from cftrain.config.ranges import Count, Usual
from cftrain.errors import (
    ArgumentError,
    ConfigError,
    ModelError,
    WeightsError,
    is_out_of_memory,
)
from cftrain.models.classifier import Classifier, ModelSpec
from cftrain.models.probing import check_answers, check_tensors
from cftrain.models.signature import TOLD, Factory, called, is_network, keys_of
from cftrain.models.stacked_network import StackedNetwork
from cftrain.seeding import Stream, Streams

_GIVEN: dict[str, Factory] = {}


@dataclass(frozen=True, kw_only=True)
class NetworkSpec(ModelSpec):
    """A class of networks, or a function that makes some, with its parameters.

    `row_shape` is that of a row as the network takes it, (feature,) where it is left
    out; images are (channel, height, width). Networks that have parameters `features`,
    `classes` or `row_shape` are told them.
    """

    factory: ClassVar[Factory]
    listed: ClassVar[frozenset[str]]
    """Parameters that a network wants as lists."""

    name: str
    row_shape: Annotated[tuple[Count, ...] | None, Usual(None)]

    def build(self, *, features: int, classes: int, streams: Streams) -> Classifier:
        """Raises ConfigError for another number of features, ModelError and
        ArgumentError for a network that cannot be trained.
        """
        shape = (features,) if self.row_shape is None else self.row_shape
        if prod(shape) != features:
            raise ConfigError(
                f"model.row_shape: expected the shape of {features} values, the "
                f"features of the data, got {list(shape)}"
            )
        told = {"features": features, "classes": classes, "row_shape": shape}
        first = self._made(streams[0], told)
        check_tensors(first, again=self._made(streams[0], told))
        turns = check_answers(
            lambda networks, turns: StackedNetwork(
                networks, shape=shape, classes=classes, in_turns=turns
            ),
            first,
            features,
        )
        networks = [first, *(self._made(stream, told) for stream in streams[1:])]
        return StackedNetwork(
            networks, shape=shape, classes=classes, in_turns=turns
        ).float()

    def _made(self, stream: Stream, told: Mapping[str, Any]) -> nn.Module:
        """A network whose weights come from a stream."""
        factory = type(self).factory
        wanted = inspect.signature(factory).parameters
        given = {"name": self.name, **told}
        values = {name: given[name] for name in TOLD if name in wanted}
        for field in fields(self):
            if field.name not in TOLD:
                value = getattr(self, field.name)
                values[field.name] = list(value) if field.name in self.listed else value
        # What is global is put back: constructors draw from it.
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            torch.default_generator.manual_seed(stream.generator().initial_seed())
            try:
                network = factory(**values)
            except Exception as error:
                if is_out_of_memory(error) or isinstance(error, WeightsError):
                    raise
                raise ModelError(
                    f"model: expected {called(factory)} to make a network of "
                    f"{_listed(values)}, got {type(error).__name__}: {error}"
                ) from error
        if not isinstance(network, nn.Module):
            raise ModelError(
                f"model: expected {called(factory)} to make a torch.nn.Module, got a "
                f"{type(network).__name__}"
            )
        return network

    def __reduce__(self) -> Any:
        """By its network, since its class is made when it is asked for."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return _again, (type(self).factory, type(self).registered_name, values)  # type: ignore[attr-defined]


def adopted(target: str) -> type[NetworkSpec] | None:
    """Returns the specification of a network that a configuration or a stored run
    names; None for what is no network, and for networks that nobody here has named.

    Raises ConfigError for networks with parameters that no file can give.
    """
    found = _GIVEN.get(target)
    if found is not None:
        return spec_of(found, target)
    found = _of_plugin(target) if is_outside(target) else None
    return None if found is None else spec_of(found, network_name(found))


def _of_plugin(target: str) -> Factory | None:
    """The network of a plug-in in use that a name or a path means. Raises ConfigError
    for plug-ins that cannot be imported.
    """
    found = found_at(target)
    if found is None and ":" in target:
        found = at_path(target.replace(":", "."))
    if not is_network(found) or plugin_of(found.__module__) is None:
        return None
    network: Factory = found
    return network


def given(factory: object) -> str:
    """Returns the name of a network that somebody hands over in Python, by which it is
    found from now on. Raises ArgumentError.
    """
    if not callable(factory) or not hasattr(factory, "__qualname__"):
        raise ArgumentError(
            "model: expected a class of networks, or a function that makes some, got a "
            f"{type(factory).__name__}"
        )
    name = network_name(factory)
    if "<" in name:
        raise ArgumentError(
            f"model: expected a class or a function at the top of a module, whose name "
            f"results can have, got {called(factory)}"
        )
    _GIVEN[name] = factory
    return name


def network_name(factory: Factory) -> str:
    """Returns what results call a network: by its registered name, or else by its
    package and its path in there.
    """
    registered = vars(factory).get("registered_name")
    if isinstance(registered, str):
        return registered
    plugin = plugin_of(factory.__module__)
    package = factory.__module__.partition(".")[0] if plugin is None else plugin.name
    inner = factory.__module__.removeprefix(package).removeprefix(".")
    shown = getattr(sys.modules.get(package), factory.__qualname__, None)
    path = [inner] if inner and shown is not factory else []
    return f"{package}:{'.'.join([*path, factory.__qualname__])}"


@functools.cache
def spec_of(factory: Factory, name: str) -> type[NetworkSpec]:
    """Returns the specification whose keys are the parameters of a network, by the name
    that results call it. Raises ConfigError for parameters that no file can give.
    """
    keys = list(keys_of(factory))
    made: type[NetworkSpec] = make_dataclass(
        factory.__name__,
        [
            ("name", Annotated[str, Usual(factory.__name__.lower())]),
            *((key, kind) for key, kind, _ in keys),
        ],
        bases=(NetworkSpec,),
        namespace={
            "factory": staticmethod(factory),
            "listed": frozenset(key for key, _, listed in keys if listed),
            "registered_name": name,
            "__annotations__": {},
        },
        frozen=True,
        kw_only=True,
    )
    made.__module__, made.__doc__ = __name__, factory.__doc__
    return made


def _again(factory: Factory, name: str, values: Mapping[str, Any]) -> NetworkSpec:
    return spec_of(factory, name)(**values)


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
