"""Any network as a classifier: a stack that holds it alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cftrain.errors import ArgumentError, ModelError, is_out_of_memory
from cftrain.tensors import Logits, Rows

LAYERS = ("torch.nn.", "cftrain.models.layers")


class StackOfOne(nn.Module):
    """A network that maps (row, ...) to logits (row, class), with a stack axis of 1.

    `shape` is that of a row as the network takes it; the features of our rows are its
    values one after the other. The network is used as it is: it is no submodule, since
    its weights have no stack axis to be sliced by.
    """

    network: nn.Module

    def __init__(
        self, network: nn.Module, *, shape: tuple[int, ...], classes: int, like: Tensor
    ) -> None:
        super().__init__()
        self.shape, self.classes = tuple(shape), classes
        self.__dict__["network"] = network
        self.register_buffer("stack", like.new_zeros(1), persistent=False)

    def forward(self, rows: Rows) -> Logits:
        inputs = rows[0].reshape(-1, *self.shape)
        logits = self.network(inputs)
        check_logits(logits, len(inputs), self.classes)
        return logits.unsqueeze(0)


def is_touched(module: nn.Module) -> bool:
    """Whether something else happens in a module than its class says."""
    hooks = (
        module._forward_pre_hooks,
        module._forward_hooks,
        module._backward_pre_hooks,
        module._backward_hooks,
    )
    return any(hooks) or "forward" in vars(module)


def is_shareable(classifier: nn.Module) -> bool:
    """Whether threads may ask it at once: a row of layers of torch and of ours, which
    keep nothing of a pass and which nobody has touched, on the CPU.
    """
    if type(classifier) is not nn.Sequential:
        return False
    layers = all(
        type(module).__module__.startswith(LAYERS) and not is_touched(module)
        for module in classifier.modules()
    )
    return layers and all(weight.is_cpu for weight in classifier.parameters())


def stack_of_one(network: nn.Module, rows: Float[Tensor, "row *shape"]) -> StackOfOne:
    """Returns the classifier of a network that takes such rows.

    It is asked about a row and about two. Raises ModelError and ArgumentError if it
    does not answer as a classifier does.
    """
    classes = [
        _classes(network, rows[:1].expand(count, *rows.shape[1:])) for count in (1, 2)
    ]
    if classes[0] != classes[1]:
        raise ModelError(
            f"net: expected as many logits for one row as for two, got {classes[0]} "
            f"and {classes[1]}"
        )
    return StackOfOne(
        network, shape=tuple(rows.shape[1:]), classes=classes[0], like=rows
    )


@contextmanager
def undisturbed(network: nn.Module) -> Iterator[None]:
    """Puts a network into evaluation mode for a while, in which rows do not depend on
    each other, and each of its parts back into its own mode afterwards.
    """
    before = [(module, module.training) for module in network.modules()]
    try:
        network.eval()
        yield
    finally:
        for module, training in before:
            module.training = training


def check_logits(
    logits: object, rows: int, classes: int | None, *, key: str = "net"
) -> None:
    """Raises ArgumentError for what is no tensor, ModelError for one of another shape
    or type than the logits (row, class) of so many rows; `key` is what they call it.
    """
    if not isinstance(logits, Tensor):
        raise ArgumentError(
            f"{key}: expected a network that returns a tensor of logits, got one that "
            f"returns a {type(logits).__name__}"
        )
    wanted = f"({rows}, {'class' if classes is None else classes})"
    fits = logits.ndim == 2 and logits.shape[0] == rows and logits.shape[1] > 1
    if not fits or classes not in (None, logits.shape[1]):
        raise ModelError(
            f"{key}: expected logits of shape {wanted} for {rows} rows and at least 2 "
            f"classes, got {tuple(logits.shape)}"
        )
    if not logits.is_floating_point():
        raise ModelError(f"{key}: expected logits that are floats, got {logits.dtype}")


@torch.no_grad()
def _classes(network: nn.Module, rows: Tensor) -> int:
    """How many classes a network tells of rows."""
    try:
        logits = network(rows)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f"net: expected a network that takes rows of shape {tuple(rows.shape[1:])} "
            f"and type {rows.dtype}, got {type(error).__name__}: {error}"
        ) from error
    check_logits(logits, len(rows), None)
    if not torch.isfinite(logits).all():
        raise ModelError("net: expected finite logits, got others of the first row")
    return int(logits.shape[1])
