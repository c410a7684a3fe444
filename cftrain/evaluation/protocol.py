"""What an evaluation does, as configured."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast, Count, Seed
from cftrain.counterfactuals.categories import Categories
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.maturity import Maturity
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.dataset import Dataset
from cftrain.errors import ConfigError
from cftrain.evaluation.metric import Metric


@named("gallery")
@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Counterfactuals of a few factuals for every other class, to be looked at."""

    factuals: Count
    generator: Generator
    maturity: Maturity
    search: GradientDescent


@named("attributions")
@dataclass(frozen=True, kw_only=True)
class Attributions:
    """Mean integrated gradients of every class, to be looked at."""

    steps: Count
    seed: Seed


@named("protocol")
@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The published counterfactual benchmark (paper section 5.1), as coded.

    A round has so many `individuals`. Each has a factual class and another class as its
    target, both drawn at random. `pair_seed` draws this list of classes once for all
    `rounds`, models and `energy_weights`; the authors draw one for each energy weight.
    A generator without energy weight is evaluated once. By `sampling`, factuals are
    drawn

    - `paper`: from the rows that the evaluated model predicts to be of the class, anew
      for each energy weight. Models of one seed draw by the same random numbers: those
      that predict alike, as on three of the paper's sets, explain the same rows;
    - `paired`: from the rows with that label, once for all models and energy weights.
      So models are compared on the same individuals, and with less noise.
    """

    rounds: Count
    individuals: Count
    split: Literal["test", "training"]
    sampling: Literal["paper", "paired"]
    pair_seed: int
    generator: Generator
    energy_weights: tuple[Annotated[float, AtLeast(0)], ...]
    maturity: Maturity
    search: GradientDescent
    categories: Categories
    metrics: dict[str, Metric]
    gallery: Gallery | None
    attributions: Attributions | None

    def __post_init__(self) -> None:
        if not self.energy_weights:
            raise ConfigError(
                "evaluation.energy_weights: expected at least one, got none"
            )

    def fitted(self, dataset: Dataset, cache: Path) -> "Protocol":
        """Returns the protocol made ready for a dataset; files go to the cache."""
        gallery = self.gallery
        if gallery is not None:
            shown = gallery.generator.fitted(dataset.features, cache)
            gallery = replace(gallery, generator=shown)
        return replace(
            self,
            generator=self.generator.fitted(dataset.features, cache),
            categories=self.categories.fitted(dataset.units),
            gallery=gallery,
        )

    def searches(self) -> list[tuple[float | None, CounterfactualSearch]]:
        """Returns each energy weight with its search."""
        generator: Any = self.generator  # a dataclass, which its abstract base is not
        if "energy_weight" not in (field.name for field in fields(generator)):
            return [(None, self._search(generator))]
        return [
            (weight, self._search(replace(generator, energy_weight=weight)))
            for weight in self.energy_weights
        ]

    def _search(self, generator: Generator) -> CounterfactualSearch:
        return CounterfactualSearch(
            generator=generator,
            maturity=self.maturity,
            descent=self.search,
            categories=self.categories,
        )
