"""Networks and weights that are handed over in Python, as a configuration has them."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
from omegaconf import DictConfig, open_dict
from safetensors import SafetensorError
from torch import nn

from cftrain.config.tree import literal
from cftrain.errors import ArgumentError
from cftrain.models.adopted import given
from cftrain.results.weights import content_digest
from cftrain.results.writing import written_whole

Network = Callable[..., nn.Module]
"""A class of networks, or a function that makes some; `functools.partial` of one has
values of its parameters.
"""

INITIAL = "initial"


def network_node(network: Network) -> dict[str, Any]:
    """Returns the node of a configuration that stands for a network. Raises
    ArgumentError for what makes none.
    """
    if isinstance(network, nn.Module):
        raise ArgumentError(
            "model: expected a class of networks, or a function that makes some, got a "
            f"{type(network).__name__} that is made already; its class as model, and "
            "init_from to start from its weights"
        )
    if not isinstance(network, functools.partial):
        return {"_target_": given(network)}
    if network.args:
        raise ArgumentError(
            "model: expected functools.partial with names of parameters, got "
            f"{network.args!r} without"
        )
    return {"_target_": given(network.func), **network.keywords}


def with_network(config: DictConfig, network: Network | None) -> DictConfig:
    """Returns the configuration with a network as its model, if there is one."""
    if network is not None:
        with open_dict(config):
            config.model = literal(network_node(network))
    return config


def weights_file(net: nn.Module, folder: Path) -> Path:
    """Returns a file with the weights of a network, below a folder of results and named
    by what is in it. Raises ResultError if it cannot be written.
    """
    weights = {
        name: value.detach().cpu().clone().contiguous()
        for name, value in net.state_dict().items()
    }
    path = folder / INITIAL / f"{content_digest(weights)[:16]}.safetensors"
    with written_whole(path, SafetensorError) as partial:
        safetensors.torch.save_file(weights, partial)
    return path
