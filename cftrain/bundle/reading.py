"""A model to explain from a bundle, which is checked before anything of it is used."""

from pathlib import Path

from cftrain.advice.stored_model import StoredModel
from cftrain.bundle.limits import read_limits
from cftrain.bundle.manifest import opened
from cftrain.bundle.models import (
    explained,
    read_classifier,
    read_cutoff,
    read_models,
    rebuilt,
)
from cftrain.bundle.observed import read_reference
from cftrain.bundle.preprocessing import read_codec
from cftrain.models.stack_slicing import frozen


def read_bundle(folder: Path, wanted: str | None) -> StoredModel:
    """Returns the model of a bundle with those of other seeds beside it.

    `wanted` is how the id of another one of them begins. Raises ResultError for a
    bundle of which a file is missing, additional, changed or not what it should be.
    """
    files = opened(folder)
    files.check()
    models = read_models(files)
    cells = explained(models, wanted)
    run = rebuilt(files, models, cells[0])
    codec = read_codec(files)
    constraints, least, largest = read_limits(files, codec)
    features, classes = len(codec.feature_names), len(models.class_names)
    classifier = read_classifier(files, run, cells, features=features, classes=classes)
    return StoredModel(
        model=frozen(classifier, slice(0, 1)),
        others=frozen(classifier, slice(1, None)) if len(cells) > 1 else None,
        run=run,
        data=models.data,
        codec=codec,
        constraints=constraints,
        class_names=models.class_names,
        image_shape=models.image_shape,
        least=least,
        largest=largest,
        reference=read_reference(files, features, classes),
        test_rows=None,
        cutoff=read_cutoff(files, models),
    )
