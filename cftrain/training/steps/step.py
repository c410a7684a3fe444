"""The rows of one step of training, and what the loss needs to know of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import Parameter

from cftrain import stacking
from cftrain.counterfactuals.hyperparameters import counts
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier, Headed, learning, predictor
from cftrain.models.dense_stacks.dense import Dense, dense
from cftrain.objectives.naming import PARTS
from cftrain.objectives.objective import Objective
from cftrain.objectives.slopes import Coefficients, by_logits, coefficients
from cftrain.objectives.terms import misalignment, misalignment_slope, squared_slope
from cftrain.seeding import Streams, children
from cftrain.tensors import Classes, Logits, PerCell, Rows
from cftrain.training.steps.answered import Answered, answered
from cftrain.training.steps.forward import Back, Pass, batch
from cftrain.training.steps.moved_rows import attacked, recoursed
from cftrain.training.steps.portion import Portion, StepRows
from cftrain.training.steps.replay import Replay
from cftrain.training.steps.sloped import GUIDANCE, LOSS, Sloped, Term, none_of

OPEN = [PARTS.index(part) for part in ("recourse_loss", "energy_gap")]
"""Terms of the logits without a closed form."""

Update = Callable[[PerCell, Sequence[Tensor]], Bool[Tensor, " stack"]]
"""Makes one step by the gradients of the parameters; says which cells made it."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What the steps of a portion found: totals (step, stack), parts (step, part,
    stack), and which cells `made` each step.
    """

    totals: Float[Tensor, "step stack"]
    parts: Float[Tensor, "step part stack"]
    made: Bool[Tensor, "step stack"]


@dataclass(frozen=True)
class Steps:
    """Makes the steps of a stack; terms that none of its models has cost nothing."""

    classifier: Classifier
    objective: Objective
    constraints: Constraints
    streams: Streams
    replay: Replay | None = None

    def learn(self, portion: Portion, update: Update) -> Learned:
        """Makes the steps of a portion, one after the other.

        Losses are computed at the end, of all steps at once: a step needs their
        gradients alone.
        """
        steps, rows = len(portion.starts), portion.rows
        cells = torch.arange(len(self.streams), device=rows.seen.device)
        whole = stacking.select(self.objective, cells.repeat(steps))
        known = coefficients(
            whole,
            observed_label=rows.observed_label,
            nascent_label=rows.nascent_label,
            observed_weight=rows.observed_weight,
            nascent_weight=rows.nascent_weight,
            target=rows.target,
            ridge_share=rows.ridge_share,
            margin=rows.margin,
        )
        found, made = [], []
        for start, of_step, of_rows in zip(
            portion.starts,
            portion.by_step(),
            stacking.divided(known, steps),
            strict=True,
        ):
            one = self.forward(of_step, start)
            made.append(update(*self._slopes(one, of_step, of_rows)))
            found.append(one.numbers)
        parts = whole.parts(batch(rows, found))
        totals = whole.total(parts)
        return Learned(
            totals=totals.unflatten(0, (steps, -1)),
            parts=parts.unflatten(1, (steps, -1)).transpose(0, 1),
            made=torch.stack(made),
        )

    def forward(self, rows: StepRows, start: int) -> Pass:
        """Returns what a forward pass for all rows of a step finds, and the terms that
        have a graph of their own. Draws go by the place where the step starts.
        """
        seen, label = rows.seen, rows.observed_label
        observed = seen[:, : label.shape[1]]
        recourse_target = drawn_place = label[:, :0]
        others: list[Rows] = []
        parts = (self._predictor, self.objective)
        if self._attacks:
            streams = children(self.streams, start)
            others.append(
                attacked(
                    *parts,
                    observed,
                    label,
                    constraints=self.constraints,
                    streams=streams,
                )
            )
        if self._moves:
            streams = children(self.streams, "recourse", start)
            moved, recourse_target = recoursed(
                *parts, observed, constraints=self.constraints, streams=streams
            )
            others.append(moved)
        if self.replay is not None:
            streams = children(self.streams, start)
            of_model, drawn_place = self.replay.drawn(self._predictor, streams)
            others.append(of_model)
        seen = torch.cat([seen, *others], 1) if others else seen
        logits, back = self._forward(seen, start)
        return Pass(
            logits=logits,
            back=back,
            misalignment=self._misalignment(rows),
            squared_slope=self._squared_slope(observed, label),
            recourse_target=recourse_target,
            drawn_place=drawn_place,
            answered=self._answered(observed, logits[:, : label.shape[1]], start),
        )

    def _slopes(
        self, found: Pass, rows: StepRows, known: Coefficients
    ) -> tuple[PerCell, Sequence[Tensor]]:
        """Returns what is finite if the cells' totals are, and the totals' gradients by
        the parameters: through the logits, and besides by what has a graph of its own.
        Those of a head come last.
        """
        size, slope = self._by_logits(found, rows, known)
        gradients = found.back(slope)
        for name, term in found.sloped.items():
            weight = self.objective.part_weights(size)[PARTS.index(name)]
            factor = (weight / term.value.shape[1]).unsqueeze(1)
            size = size + (factor * term.value.detach()).sum(1)
            gradients = [
                one if other is None else one + other
                for one, other in zip(
                    gradients, term.by_parameters(factor), strict=True
                )
            ]
        if isinstance(self.classifier, Headed):
            of_head, by_head = found.answered.by_head(self.objective)
            return size + of_head, [*gradients, *by_head]
        return size, gradients

    def _by_logits(
        self, found: Pass, rows: StepRows, known: Coefficients
    ) -> tuple[PerCell, Logits]:
        """Returns what is finite if the totals are, and their slope by the logits: in
        closed form, and by autograd what terms without one add to it.
        """
        if not (self._moves or self.replay is not None):
            slope, size = by_logits(self.objective, found.logits, known)
            return size, slope
        count = known.place.shape[1]
        slope = torch.zeros_like(found.logits)
        slope[:, :count], size = by_logits(
            self.objective, found.logits[:, :count], known
        )
        logits = found.logits.detach().requires_grad_()
        numbers = (logits, *found.numbers[1:])
        parts = self.objective.parts(batch(rows, [numbers]))
        weights = self.objective.part_weights(parts)
        others = (weights * parts)[OPEN].sum(0)
        (besides,) = torch.autograd.grad(others.sum(), logits)
        return size + others.detach(), slope + besides

    def _forward(self, rows: Rows, start: int) -> tuple[Logits, Back]:
        """Returns logits without a graph, and the way back to the parameters.

        Layers of a dense stack have no gradients, and need not be told so.
        """
        if self._dense is not None:
            tape = self._dense(rows)
            return tape.logits, tape.by_weights
        streams = children(self.streams, "dropout", start)
        logits = learning(self._predictor, rows, streams)
        return logits.detach(), partial(torch.autograd.grad, logits, self._parameters)

    @cached_property
    def _attacks(self) -> bool:
        return counts(self.objective.attack_weight)

    @cached_property
    def _moves(self) -> bool:
        return counts(self.objective.recourse_weight)

    @cached_property
    def _is_sloped(self) -> bool:
        return counts(self.objective.slope_weight)

    @cached_property
    def _predictor(self) -> Classifier:
        return predictor(self.classifier)

    @cached_property
    def _dense(self) -> Dense | None:
        return dense(self.classifier)

    @cached_property
    def _parameters(self) -> list[Parameter]:
        return list(self._predictor.parameters())

    def _answered(self, observed: Rows, logits: Logits, start: int) -> Answered:
        """What a head answers to observed rows."""
        asked = self.streams if counts(self.objective.head_weight) else []
        return answered(
            self.classifier,
            self.objective,
            observed,
            logits,
            constraints=self.constraints,
            streams=children(asked, "answers", start),
        )

    def _misalignment(self, rows: StepRows) -> Sloped:
        """How far gradients on the paths of searches point away from where to go."""
        if rows.visited is None or rows.wanted is None:
            return none_of(rows.margin)
        limits = self.constraints
        places = (rows.wanted, limits.may_increase | limits.may_decrease)
        term = Term(
            lambda ascent: misalignment(ascent, *places),
            lambda ascent: misalignment_slope(ascent, *places),
        )
        return term.of(
            GUIDANCE, self._predictor, self._dense, rows.visited, rows.target
        )

    def _squared_slope(self, observed: Rows, label: Classes) -> Sloped:
        """How steep the class loss is at observed rows."""
        if not self._is_sloped:
            return none_of(observed[..., 0])
        term = Term(squared_slope, lambda gradient: 2 * gradient)
        return term.of(LOSS, self._predictor, self._dense, observed, label)
