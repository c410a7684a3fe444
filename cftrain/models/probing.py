"""What is asked of a network before it is trained: a few rows, and what it consists of.

A network that is refused here would train to numbers that depend on a cell's neighbours
in the stack, on other rows of a batch, or on what is drawn elsewhere in the program.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from cftrain.errors import CftrainError, ModelError, is_out_of_memory
from cftrain.models.stacked_network import TURNS, StackedNetwork
from cftrain.seeding import Stream
from cftrain.tensors import Rows

PROBED_ROWS = 3

Stacked = Callable[[Sequence[nn.Module], bool], StackedNetwork]
"""Makes a classifier of networks, which take turns or not."""


def check_tensors(network: nn.Module, *, again: nn.Module) -> None:
    """Raises ModelError unless each parameter is one of a single layer, finite, and the
    same if the network is made `again` by the same stream.
    """
    for name, module in network.named_modules():
        if isinstance(module, _BatchNorm):
            raise ModelError(
                f"model: expected layers in which rows do not depend on each other, "
                f"got {type(module).__name__} as {name!r}, whose statistics would mix "
                "observed rows with counterfactuals; GroupNorm and LayerNorm do not"
            )
        loose = [
            key for key, value in vars(module).items() if isinstance(value, Tensor)
        ]
        if loose:
            raise ModelError(
                f"model: expected tensors that are parameters or buffers, got "
                f"{'.'.join(filter(None, (name, loose[0])))!r}; register_buffer makes "
                "one of it"
            )
    _check_shared(network)
    trained = [value for value in network.parameters() if value.requires_grad]
    if not trained:
        raise ModelError("model: expected parameters to be trained, got none")
    twin = again.state_dict()
    for name, value in network.state_dict().items():
        if not bool(torch.isfinite(value.double()).all()):
            raise ModelError(f"model: expected finite weights, got others in {name!r}")
        if not torch.equal(value, twin[name]):
            raise ModelError(
                f"model: expected the same weights from the same seed, got others in "
                f"{name!r}: what a constructor draws has to come from torch"
            )


def check_answers(stacked: Stacked, network: nn.Module, features: int) -> bool:
    """Returns whether networks of the kind take turns. Raises ModelError, and
    ArgumentError for one that returns no tensor.
    """
    alone = stacked([network], True)
    rows = _rows(features).to(next(alone.parameters()).dtype)
    _check_seen(alone, rows)
    _check_learned(alone, rows)
    return in_turns(stacked, network, rows)


def in_turns(stacked: Stacked, network: nn.Module, rows: Rows) -> bool:
    """Whether networks of a stack take turns: those with layers that gain nothing from
    vmap, and those that it cannot do or not without a loop of its own.
    """
    if any(isinstance(module, TURNS) for module in network.modules()):
        return True
    both = stacked([network, network], False)
    streams = [Stream(0), Stream(0)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            two = rows.expand(2, -1, -1)
            both(two)
            logits = both.learning(two, streams)
            torch.autograd.grad(logits.sum(), list(both.parameters()))
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return True
    return False


def _rows(features: int) -> Rows:
    drawn = torch.rand(1, PROBED_ROWS, features, generator=Stream(0).generator())
    return 2 * drawn - 1


@torch.no_grad()
def _check_seen(alone: StackedNetwork, rows: Rows) -> None:
    """What it says of rows in evaluation mode: of each whatever is beside it."""
    with _told("rows"):
        logits = alone(rows)
        apart = torch.cat([alone(row) for row in rows.split(1, 1)], 1)
    if not torch.isfinite(logits).all():
        raise ModelError("model: expected finite logits, got others of small rows")
    if not torch.allclose(logits, apart, rtol=1e-3, atol=1e-4):
        raise ModelError(
            "model: expected the same logits of a row whatever rows are beside it, got "
            f"others by up to {float((logits - apart).abs().max()):.2g}"
        )


def _check_learned(alone: StackedNetwork, rows: Rows) -> None:
    """What it does in training mode: nothing but what its weights and rows say."""
    before = {name: value.clone() for name, value in alone.named_buffers()}
    drawn_from = torch.get_rng_state()
    x = rows.clone().requires_grad_()
    with _told("rows in training mode"), torch.enable_grad():
        logits = alone.learning(x, [Stream(0)])
        weights = dict(alone.named_parameters())
        (slope,) = torch.autograd.grad(logits[0, 0].sum(), x, retain_graph=True)
        slopes = torch.autograd.grad(
            logits.sum(), list(weights.values()), allow_unused=True
        )
    if not torch.equal(torch.get_rng_state(), drawn_from):
        torch.set_rng_state(drawn_from)
        raise ModelError(
            "model: expected nothing random but dropout, dropout1d, dropout2d and "
            "dropout3d of torch, whose draws come from the seed of the run, got a "
            "network that draws by itself (attention with a dropout does, for example)"
        )
    changed = [n for n, value in alone.named_buffers() if not _same(value, before[n])]
    if changed:
        raise ModelError(
            "model: expected buffers that training leaves as they are, got another "
            f"{changed[0]!r} after a batch of rows"
        )
    if bool((slope[0, 1:] != 0).any()):
        raise ModelError(
            "model: expected logits of a row that depend on this row alone, got some "
            "that depend on others of the batch in training mode"
        )
    unused = [n for n, s in zip(weights, slopes, strict=True) if s is None]  # type: ignore[redundant-expr]
    if unused:
        raise ModelError(
            f"model: expected parameters that are all in use, got {unused[0]!r} "
            "without a gradient; requires_grad=False keeps one as it is"
        )


def _check_shared(network: nn.Module) -> None:
    """Raises ModelError for parameters of two layers, and for those that are not there
    or no floats.
    """
    names: dict[int, str] = {}
    for name, value in network.named_parameters(remove_duplicate=False):
        if is_lazy(value):
            raise ModelError(
                f"model: expected weights as soon as a network is made, got {name!r} "
                "without a shape; say the sizes of lazy layers"
            )
        if not value.is_floating_point():
            raise ModelError(
                f"model: expected parameters that are floats, got {name!r} of "
                f"{value.dtype}"
            )
        if id(value) in names:
            raise ModelError(
                "model: expected parameters that are those of one layer each, got "
                f"{names[id(value)]!r} and {name!r}, which share theirs"
            )
        names[id(value)] = name


def _same(left: Tensor, right: Tensor) -> bool:
    return torch.allclose(left, right, rtol=0, atol=0, equal_nan=True)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Whatever a network raises becomes a ModelError."""
    try:
        yield
    except CftrainError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        said = (str(error).strip().splitlines() or ["no message"])[0]
        raise ModelError(
            f"model: expected a network that takes {what} of the data, got "
            f"{type(error).__name__}: {said}"
        ) from error
