"""The latent space of a generative model of the data, to search in."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, final

from torch import Tensor

from cftrain.config.names import named
from cftrain.counterfactuals.space import Noise, Space
from cftrain.errors import StackError
from cftrain.models.vae import Vae, VaeSpec, draw, fitted
from cftrain.tensors import Features, Rows


@named("latent_space")
@final
@dataclass(frozen=True, kw_only=True)
class LatentSpace(Space):
    """The latent states of a VAE, as REVISE searches them (Joshi et al., 2019).

    After each step the decoded row is brought into the domain and what mutability
    allows, and encoded anew: by a `sample` of the posterior, as in the authors' code,
    or by its `mean`. The published code let latent moves break mutability; here the
    search constrains them like any other. So the model judges the constrained row and
    not its reconstruction, and the search starts at the factual itself.
    """

    encoding: Literal["sample", "mean"]
    vae: VaeSpec
    network: Vae | None = None

    @property
    def draws(self) -> bool:
        return self.encoding == "sample"

    @property
    def has_closed_form(self) -> bool:
        return True

    def pull_back(self, state: Tensor, by_rows: Rows) -> Tensor:
        return self._network.pull_back(state, by_rows)

    @property
    def learns(self) -> bool:
        return True

    def fitted(self, rows: Features, cache: Path) -> "LatentSpace":
        network = fitted(self.vae, rows, cache)
        return replace(self, network=network.to(dtype=rows.dtype, device=rows.device))

    def sharing(self, fitted: Space) -> "LatentSpace":
        if not isinstance(fitted, LatentSpace) or fitted.vae != self.vae:
            raise StackError(
                "generator.space: expected equal VAEs in all cells of a stack"
            )
        return replace(self, network=fitted.network)

    def encode(self, x: Rows, noise: Noise) -> Tensor:
        mean, log_sigma = self._network.encode(x)
        if self.encoding == "mean":
            return mean
        return draw(mean, log_sigma, noise.normal(mean.shape[-1], like=mean))

    def view(self, state: Tensor, x: Rows) -> Rows:
        decoded = self._network.decode(state)
        return x + (decoded - decoded.detach())

    def move(self, state: Tensor, step: Tensor, x: Rows) -> Rows:
        return self._network.decode(state + step) - x

    @property
    def _network(self) -> Vae:
        if self.network is None:
            raise StackError(
                "generator.space: expected a fitted VAE, got none; call fitted()"
            )
        return self.network
