"""From runs to trained models: everything that trains goes through here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from cftrain import stacking
from cftrain.data.dataset import Dataset
from cftrain.data.sampling import training_rows
from cftrain.data.sources import cache
from cftrain.models.classifier import Classifier
from cftrain.models.ensemble import Ensemble, assembled, member_model
from cftrain.seeding import Stream, Streams
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.history import EpochRecord, means
from cftrain.training.initial import start_from
from cftrain.training.run import Run
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
    Raises StackError.
    """
    runs = fitted_runs(runs, dataset)
    each = [stream for run in runs for stream in member_streams(run)]
    members = [run for run in runs for _ in member_streams(run)]
    single = [replace(run, model=member_model(run.model)) for run in members]
    classifier = started(single, dataset, each).to(device)
    dtype = dataset.features.dtype
    splits = [Stream(run.seed).child("split") for run in members]
    rows = training_rows(dataset, splits)
    objective = stacking.stack(
        [run.objective for run in members], dtype=dtype, device=device
    )
    trainer = Trainer(
        rows=rows,
        search=stacking.stack(
            [run.counterfactual_search() for run in members], dtype=dtype, device=device
        ),
        objective=objective.fitted(rows.by_class.counts, dataset.class_names),
        schedule=runs[0].schedule,
        streams=[stream.child("training") for stream in each],
    )
    history = trainer.train(classifier, checkpoint=checkpoint, on_epoch=on_epoch)
    if len(members) == len(runs):
        return Trained(classifier=classifier, history=history)
    whole = initial(runs, dataset).to(device)
    whole.load_state_dict(assembled(classifier.state_dict(), len(members) // len(runs)))
    return Trained(classifier=whole, history=means(history, len(runs)))


def initial(runs: Sequence[Run], dataset: Dataset) -> Classifier:
    """The models of the runs before training, as one stack."""
    return _initial(runs, dataset, [Stream(run.seed) for run in runs])


def member_streams(run: Run) -> list[Stream]:
    """The stream of a model, or one for each member of an ensemble."""
    stream = Stream(run.seed)
    if not isinstance(run.model, Ensemble):
        return [stream]
    return [stream.child("member", number) for number in range(run.model.members)]


def _initial(runs: Sequence[Run], dataset: Dataset, streams: Streams) -> Classifier:
    classifier: Classifier = (
        runs[0]
        .model.build(
            features=dataset.feature_count,
            classes=dataset.classes,
            streams=[stream.child("weights") for stream in streams],
        )
        .to(dtype=dataset.features.dtype)
    )
    return classifier


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
