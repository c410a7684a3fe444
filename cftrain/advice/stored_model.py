"""What advice asks of a trained model and of its data, wherever these are stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from cftrain.advice.advisor import Advisor
from cftrain.advice.cutoff import Cutoff
from cftrain.advice.images.form import image_form
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec
from cftrain.data.relations.declared import related
from cftrain.data.sources import cache
from cftrain.errors import ConfigError
from cftrain.evaluation.reference import Reference
from cftrain.models.classifier import Classifier
from cftrain.tensors import Features, Vector
from cftrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class StoredModel:
    """A model (a stack of one) with all that it takes to explain what it decides.

    `others` is a stack of the models of other training seeds, None if there are none.
    `run` is how the model was trained, on the data set named `data`. `least` and
    `largest` bound the observed rows, which are the `reference`. That and `test_rows`
    are None where rows are not stored. The `cutoff` is that of a bundle that has one.
    """

    model: Classifier
    others: Classifier | None
    run: Run
    data: str
    codec: Codec
    constraints: Constraints
    class_names: tuple[str, ...]
    image_shape: tuple[int, int] | None
    least: Vector
    largest: Vector
    reference: Reference | None
    test_rows: Features | None
    cutoff: Cutoff | None = None

    def advisor(
        self,
        search: CounterfactualSearch,
        *,
        immutable: Sequence[str],
        relations: Sequence[str],
        observed_range: bool,
        sparse: bool,
        cutoff: Cutoff | None = None,
    ) -> Advisor:
        """Returns what gives advice on the model, by a search that is fitted to its
        data.

        No answer leaves the range of the observed rows if `observed_range`. Raises
        ConfigError for columns that there are not, for relations that cannot be obeyed,
        and for searches that have to know observed rows where there are none.
        """
        fitted = replace(
            search,
            generator=self._fitted(search.generator),
            categories=search.categories.fitted(self.codec),
        )
        limits = related(self._held(immutable), relations, self.codec, key="relations")
        if observed_range:
            limits = observed_box(limits, self.least, self.largest)
        return Advisor(
            model=self.model,
            others=self.others,
            search=fitted,
            codec=self.codec,
            reference=self.reference,
            constraints=limits,
            class_names=self.class_names,
            sparse=sparse,
            cutoff=cutoff,
            image=image_form(self.image_shape, self.codec),
        )

    def _fitted(self, generator: Generator) -> Generator:
        if not generator.learns:
            return generator
        if self.reference is None:
            raise ConfigError(
                "generator: expected one that moves the features themselves, as "
                "generator=ecco does, got one whose space is learned from observed "
                "rows, which are not stored here"
            )
        return generator.fitted(self.reference.features, cache())

    def _held(self, immutable: Sequence[str]) -> Constraints:
        """The constraints with more columns immutable. Raises ConfigError."""
        inputs = self.codec.inputs
        unknown = [name for name in immutable if name not in inputs]
        if unknown:
            raise ConfigError(
                f"immutable: expected columns of {self.data} ({', '.join(inputs)}), "
                f"got {', '.join(unknown)}"
            )
        places = [place for name in immutable for place in inputs[name]]
        limits = self.constraints
        up, down = limits.may_increase.clone(), limits.may_decrease.clone()
        up[places], down[places] = False, False
        return replace(limits, may_increase=up, may_decrease=down)


def observed_box(limits: Constraints, least: Vector, largest: Vector) -> Constraints:
    """Returns the constraints with a box that no observed row would leave."""
    return replace(
        limits,
        lower=torch.maximum(limits.lower, least),
        upper=torch.minimum(limits.upper, largest),
    )
