"""What is asked of networks and rows that people hand over, before anything is done."""

import torch
from torch import Tensor, nn

from cftrain.errors import ArgumentError, DataError, ModelError


def check_network(net: object) -> None:
    """Raises ArgumentError for what is no network."""
    if not isinstance(net, nn.Module):
        raise ArgumentError(
            f"net: expected a torch.nn.Module, got a {type(net).__name__}"
        )


def check_rows(rows: object, name: str) -> None:
    """Raises ArgumentError for what is no tensor of floats, DataError for what are no
    rows of finite numbers.
    """
    if not isinstance(rows, Tensor):
        raise ArgumentError(
            f"{name}: expected a tensor (row, ...), got a {type(rows).__name__}; "
            "torch.as_tensor makes one of arrays"
        )
    if not rows.is_floating_point():
        raise ArgumentError(f"{name}: expected floats, got {rows.dtype}")
    if rows.ndim < 2 or not rows.numel():
        raise DataError(
            f"{name}: expected at least one row and a shape (row, ...), got "
            f"{tuple(rows.shape)}"
        )
    broken = int((~torch.isfinite(rows)).flatten(1).any(1).sum())
    if broken:
        raise DataError(f"{name}: expected finite numbers, got {broken} rows without")


def check_place(net: nn.Module, rows: Tensor, name: str) -> None:
    """Raises ModelError unless the weights lie where the rows do, as floats of the same
    size.
    """
    for kind, values in net.named_parameters():
        if values.device != rows.device:
            raise ModelError(
                f"{name}: expected rows on {values.device}, where the network's "
                f"{kind} is, got rows on {rows.device}"
            )
        if values.is_floating_point() and values.dtype != rows.dtype:
            raise ModelError(
                f"{name}: expected rows of {values.dtype}, as the network's {kind} is, "
                f"got {rows.dtype}"
            )


def targets(target: object, *, rows: int, classes: int, device: torch.device) -> Tensor:
    """Returns the target (row,) of each row. Raises ArgumentError and DataError."""
    if isinstance(target, bool) or not isinstance(target, int | Tensor):
        raise ArgumentError(
            "target: expected a class, or a tensor with that of each row, got a "
            f"{type(target).__name__}"
        )
    found = torch.as_tensor(target, device=device)
    if found.is_floating_point() or found.is_complex() or found.dtype == torch.bool:
        raise ArgumentError(f"target: expected whole numbers, got {found.dtype}")
    if found.shape not in ((), (rows,)):
        raise DataError(
            f"target: expected one class or {rows} of them, got shape "
            f"{tuple(found.shape)}"
        )
    found = found.long().expand(rows)
    outside = (found < 0) | (found >= classes)
    if outside.any():
        raise DataError(
            f"target: expected classes 0 to {classes - 1}, got "
            f"{sorted(set(found[outside].tolist()))[:5]}"
        )
    return found
