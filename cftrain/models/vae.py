"""Variational autoencoder: a latent space to search in, fitted once per dataset."""

import json
import math
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, ClassVar

import safetensors.torch
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn import functional

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast, Count, PositiveFloat, Seed
from cftrain.errors import DataError
from cftrain.models.layers import glorot
from cftrain.results.writing import replacing
from cftrain.seeding import Stream
from cftrain.tensors import Features, PerRow, Rows

Latents = Float[Tensor, "stack row latent"]

FORMAT = "cftrain-vae-1"
"""Raised when fits change, so that weights of older ones are never taken for new."""


@named("vae")
@dataclass(frozen=True, kw_only=True)
class VaeSpec:
    """Sizes of an autoencoder and how Adam (Kingma and Ba, 2015) fits it.

    `decoder_decay` weighs the squared L2 norm of the decoder's weights and biases.
    """

    stackable: ClassVar[bool] = False
    """All cells of a stack share one autoencoder, or none can be stacked."""

    latent: Count
    hidden: Count
    epochs: Count
    batch_rows: Count
    learning_rate: PositiveFloat
    decoder_decay: Annotated[float, AtLeast(0)]
    seed: Seed


@dataclass(frozen=True, kw_only=True, eq=False)
class Vae:
    """Gaussian encoder and decoder, each of one hidden layer; all cells share them.

    `weights` holds `<layer>.weight` (output, input) and `<layer>.bias` of the layers
    encoder, mean, log_sigma, decoder and output.
    """

    stackable: ClassVar[bool] = False

    weights: dict[str, Tensor]

    def encode(self, x: Rows) -> tuple[Latents, Latents]:
        """Returns a latent state's mean and the logarithm of its standard deviation."""
        hidden = torch.sigmoid(self._dense("encoder", x))
        return self._dense("mean", hidden), self._dense("log_sigma", hidden)

    def decode(self, state: Latents) -> Rows:
        return self._dense("output", torch.tanh(self._dense("decoder", state)))

    def pull_back(self, state: Latents, by_rows: Rows) -> Latents:
        """Returns the gradient by the state of what has this gradient by its rows."""
        hidden = torch.tanh(self._dense("decoder", state))
        by_hidden = by_rows @ self.weights["output.weight"]
        slope = torch.ops.aten.tanh_backward(by_hidden, hidden)
        return slope @ self.weights["decoder.weight"]

    def to(self, *, dtype: torch.dtype, device: torch.device) -> "Vae":
        moved = {name: w.to(device, dtype) for name, w in self.weights.items()}
        return Vae(weights=moved)

    def _dense(self, layer: str, x: Tensor) -> Tensor:
        weight, bias = self.weights[f"{layer}.weight"], self.weights[f"{layer}.bias"]
        return functional.linear(x, weight, bias)


def draw(mean: Latents, log_sigma: Latents, noise: Latents) -> Latents:
    """Returns a latent state from standard normal noise (Kingma and Welling, 2014)."""
    return mean + log_sigma.exp() * noise


def divergence_from_normal(mean: Latents, log_sigma: Latents) -> PerRow:
    """Returns a latent state's Kullback-Leibler divergence from N(0, 1), in nats."""
    terms = (2 * log_sigma).exp() + mean.square() - 1 - 2 * log_sigma
    return terms.sum(-1) / 2


def loss(
    vae: Vae, x: Rows, noise: Latents, *, decoder_decay: float
) -> Float[Tensor, ""]:
    """Returns the mean of squared error and divergence, plus decay of the decoder.

    As the authors' code. Without a factor 1/2 the squared error stands for noise of
    variance 1/2, so that directions of less variance are not encoded at all.
    """
    mean, log_sigma = vae.encode(x)
    error = (vae.decode(draw(mean, log_sigma, noise)) - x).square().sum(-1)
    decoder = [
        value.square().sum()
        for name, value in vae.weights.items()
        if name.startswith(("decoder", "output"))
    ]
    decay = decoder_decay * torch.stack(decoder).sum()
    return (error + divergence_from_normal(mean, log_sigma)).mean() + decay


def fitted(spec: VaeSpec, rows: Features, folder: Path) -> Vae:
    """Returns the fit to these rows: from a file in the folder, or new and kept there.

    Raises DataError if the file is damaged or of another fit, and as `fit` does.
    """
    identity = _identity(spec, rows)
    key = blake2b(json.dumps(identity).encode(), digest_size=8).hexdigest()
    path = folder / f"vae-{key}.safetensors"
    if path.exists():
        return _load(path, identity)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        vae = fit(spec, rows)
        _save(vae, path, identity)
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"{folder}: expected a folder that can be written, got {error}"
        ) from error
    return vae


def fit(spec: VaeSpec, rows: Features) -> Vae:
    """Fits to rows, on the CPU in float32, with nothing random but from the seed.

    Raises DataError if the rows are not finite, or too large for the learning rate.
    """
    rows = rows.detach().to("cpu", torch.float32)
    if not len(rows) or not rows.isfinite().all():
        raise DataError(
            "vae: expected at least one row and finite numbers only, got "
            f"{len(rows)} rows with {int((~rows.isfinite()).sum())} non-finite numbers"
        )
    start = initial(spec, features=rows.shape[1]).weights
    vae = Vae(weights={name: w.requires_grad_() for name, w in start.items()})
    optimiser = torch.optim.Adam(
        vae.weights.values(), lr=spec.learning_rate, fused=True
    )
    for epoch in range(1, spec.epochs + 1):
        total = _epoch(spec, epoch, vae, rows, optimiser)
        if not math.isfinite(total):
            raise DataError(
                f"vae: expected a finite loss, got {total} in epoch {epoch}; "
                "standardise the rows or lower the learning rate"
            )
    return Vae(weights={name: w.detach() for name, w in vae.weights.items()})


def initial(spec: VaeSpec, *, features: int) -> Vae:
    """Returns what a fit starts from: Glorot's weights and zero biases."""
    weights = {}
    for layer, (outputs, inputs) in _shapes(spec, features).items():
        generator = _stream(spec).child("weights", layer).generator()
        weights[f"{layer}.weight"] = glorot(generator, outputs, inputs)
        weights[f"{layer}.bias"] = torch.zeros(outputs)
    return Vae(weights=weights)


@torch.enable_grad()
def _epoch(
    spec: VaeSpec, epoch: int, vae: Vae, rows: Tensor, optimiser: torch.optim.Adam
) -> float:
    """Passes once over the shuffled rows in batches; returns their summed loss."""
    generator = _stream(spec).child("epoch", epoch).generator()
    shuffled = rows[torch.randperm(len(rows), generator=generator)].unsqueeze(0)
    noise = torch.randn(1, len(rows), spec.latent, generator=generator)
    batches = zip(
        shuffled.split(spec.batch_rows, 1), noise.split(spec.batch_rows, 1), strict=True
    )
    total = torch.zeros(())
    for x, some_noise in batches:
        optimiser.zero_grad()
        value = loss(vae, x, some_noise, decoder_decay=spec.decoder_decay)
        value.backward()
        optimiser.step()
        total += value.detach()
    return float(total)


def _stream(spec: VaeSpec) -> Stream:
    return Stream(spec.seed).child("vae")


def _shapes(spec: VaeSpec, features: int) -> dict[str, tuple[int, int]]:
    """Returns how many outputs and inputs each layer has."""
    return {
        "encoder": (spec.hidden, features),
        "mean": (spec.latent, spec.hidden),
        "log_sigma": (spec.latent, spec.hidden),
        "decoder": (spec.hidden, spec.latent),
        "output": (features, spec.hidden),
    }


def _identity(spec: VaeSpec, rows: Features) -> dict[str, str]:
    """Returns what a fit follows from, as it stands in the file."""
    values = rows.detach().to("cpu", torch.float32).contiguous()
    digest = blake2b(values.numpy().tobytes(), digest_size=16).hexdigest()
    count, features = rows.shape
    return {
        "format": FORMAT,
        "spec": json.dumps(asdict(spec), sort_keys=True),
        "rows": f"{count} x {features}, blake2b {digest}",
    }


def _save(vae: Vae, path: Path, identity: dict[str, str]) -> None:
    """Writes under a temporary name, then renames: no one reads half a file."""
    with replacing(path) as partial:
        safetensors.torch.save_file(vae.weights, partial, metadata=identity)


def _load(path: Path, identity: dict[str, str]) -> Vae:
    again = "delete the file to fit again"
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        weights = safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"{path}: expected a readable file of a VAE, got {error}; {again}"
        ) from error
    for key, value in identity.items():
        if metadata.get(key) != value:
            raise DataError(
                f"{path}: expected a VAE with {key} {value}, got {metadata.get(key)}; "
                f"{again}"
            )
    return Vae(weights=weights)
