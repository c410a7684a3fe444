"""REVISE: search in the latent space of a generative model of the data."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, final

from torch import Tensor

from cftrain.config.names import named
from cftrain.counterfactuals.energy import cross_entropy
from cftrain.counterfactuals.generator import Generator, Noise, Progress
from cftrain.counterfactuals.hyperparameters import Weight
from cftrain.counterfactuals.penalties import distance
from cftrain.errors import StackError
from cftrain.models.vae import Vae, VaeSpec, fitted
from cftrain.tensors import Classes, Features, Logits, PerRow, Rows


@named("revise")
@final
@dataclass(frozen=True, kw_only=True)
class Revise(Generator):
    """The generic loss, descended by the latent state of a VAE (Joshi et al., 2019).

    After each step the decoded row is brought into the domain and what mutability
    allows, and encoded anew: by a `sample` of the posterior, as in the authors' code,
    or by its `mean`. The published code let latent moves break mutability; here the
    search constrains them as any other. So the model judges the constrained row and not
    its reconstruction, and the search starts at the factual itself.
    """

    name: str
    distance_weight: Weight
    encoding: Literal["sample", "mean"]
    vae: VaeSpec
    network: Vae | None = None

    @property
    def draws(self) -> bool:
        return self.encoding == "sample"

    def fitted(self, rows: Features, cache: Path) -> "Revise":
        network = fitted(self.vae, rows, cache)
        return replace(self, network=network.to(dtype=rows.dtype, device=rows.device))

    def sharing(self, fitted: Generator) -> "Revise":
        if not isinstance(fitted, Revise) or fitted.vae != self.vae:
            raise StackError("revise: expected equal VAEs in all cells of a stack")
        return replace(self, network=fitted.network)

    def encode(self, x: Rows, noise: Noise) -> Tensor:
        mean, log_sigma = self._network.encode(x)
        if self.encoding == "mean":
            return mean
        return mean + log_sigma.exp() * noise.normal(mean.shape[-1], like=mean)

    def view(self, state: Tensor, x: Rows) -> Rows:
        decoded = self._network.decode(state)
        return x + (decoded - decoded.detach())

    def move(self, state: Tensor, step: Tensor, x: Rows) -> Rows:
        return self._network.decode(state + step) - x

    def loss(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> PerRow:
        pull = self.distance_weight * distance(counterfactual, factual)
        return cross_entropy(logits, target) + pull

    @property
    def _network(self) -> Vae:
        if self.network is None:
            raise StackError("revise: expected a fitted VAE, got none; call fitted()")
        return self.network
