"""From runs to trained models: everything that trains goes through here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from cftrain import stacking
from cftrain.data.dataset import Dataset
from cftrain.data.sampling import training_rows
from cftrain.data.sources import cache
from cftrain.models.classifier import Classifier
from cftrain.models.ensemble import Ensemble, assembled, taken_apart
from cftrain.seeding import Stream, Streams
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.history import EpochRecord, means
from cftrain.training.initial import start_from
from cftrain.training.run import Run
from cftrain.training.steps.answered import check_head
from cftrain.training.trainer import OnEpoch, Trainer


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A stack after training."""

    classifier: Classifier
    history: list[EpochRecord]


def train(
    runs: Sequence[Run],
    dataset: Dataset,
    *,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
    on_epoch: OnEpoch = lambda epoch, record: None,
) -> Trained:
    """Train runs that differ in seeds and floats only, as one stack.

    Members of ensembles are trained apart, as so many models with the same rows: their
    history is the mean of theirs. The dataset is that of the runs, on the device.
    Raises StackError, and ModelError for an objective of heads without any.
    """
    runs = fitted_runs(runs, dataset)
    whole = started(runs, dataset).to(device)
    for run in runs:
        check_head(whole, run.objective)
    each = [stream for run in runs for stream in member_streams(run)]
    members = [run for run in runs for _ in member_streams(run)]
    trainer = _trainer(
        members, dataset, device, [stream.child("training") for stream in each]
    )
    model = runs[0].model
    if not isinstance(model, Ensemble):
        history = trainer.train(whole, checkpoint=checkpoint, on_epoch=on_epoch)
        return Trained(classifier=whole, history=history)
    single = [replace(run, model=model.member) for run in members]
    classifier = initial(single, dataset).to(device)
    classifier.load_state_dict(taken_apart(whole.state_dict(), model.members))
    history = trainer.train(classifier, checkpoint=checkpoint, on_epoch=on_epoch)
    whole.load_state_dict(assembled(classifier.state_dict(), model.members))
    return Trained(classifier=whole, history=means(history, len(runs)))


def _trainer(
    runs: Sequence[Run], dataset: Dataset, device: torch.device, streams: Streams
) -> Trainer:
    """What trains the models of some runs, each by its stream."""
    dtype = dataset.features.dtype
    rows = training_rows(dataset, [Stream(run.seed).child("split") for run in runs])
    objective = stacking.stack(
        [run.objective for run in runs], dtype=dtype, device=device
    )
    return Trainer(
        rows=rows,
        search=stacking.stack(
            [run.counterfactual_search() for run in runs], dtype=dtype, device=device
        ),
        objective=objective.fitted(rows.by_class.counts, dataset.class_names),
        schedule=runs[0].schedule,
        streams=streams,
    )


def initial(runs: Sequence[Run], dataset: Dataset) -> Classifier:
    """The models of the runs before training, as one stack."""
    classifier: Classifier = (
        runs[0]
        .model.build(
            features=dataset.feature_count,
            classes=dataset.classes,
            streams=[Stream(run.seed).child("weights") for run in runs],
        )
        .to(dtype=dataset.features.dtype)
    )
    return classifier


def member_streams(run: Run) -> list[Stream]:
    """The stream of a model, or one for each member of an ensemble."""
    stream = Stream(run.seed)
    if not isinstance(run.model, Ensemble):
        return [stream]
    return [stream.child("member", number) for number in range(run.model.members)]


def started(runs: Sequence[Run], dataset: Dataset) -> Classifier:
    """The same with the weights that runs start from where they are no random ones.

    Raises ConfigError for those of another model.
    """
    classifier = initial(runs, dataset)
    start_from(classifier, [run.init_from for run in runs], dataset.units)
    return classifier


def fitted_runs(runs: Sequence[Run], dataset: Dataset) -> list[Run]:
    """Returns the runs with generators and categories that know the data, all of them
    by the same fit.
    """
    first = runs[0].generator.fitted(dataset.features, cache())
    return [
        replace(
            run,
            generator=run.generator.sharing(first),
            categories=run.categories.fitted(dataset.units),
        )
        for run in runs
    ]
