"""A linear model of tiny images, whose answers are known."""

from dataclasses import replace

import torch

from cftrain.advice.advisor import Advisor
from cftrain.advice.images.form import image_form
from cftrain.counterfactuals.categories import Free
from cftrain.data.pictures.pixels import pixel_codec, pixel_constraints, scaled
from cftrain.evaluation.reference import Reference
from cftrain.tensors import Features
from tests import builders

HEIGHT, WIDTH = 6, 9


def rows(count: int = 5, channels: int = 1) -> Features:
    values = builders.integers(256, count, HEIGHT * WIDTH * channels, seed=5)
    return scaled(values.numpy().astype("uint8"))


def advisor(*bright: int, channels: int = 1, held: tuple[int, ...] = ()) -> Advisor:
    """Says `light` where the inputs with these numbers are bright on average; rows of
    pixels may be held.
    """
    codec = pixel_codec(HEIGHT, WIDTH, channels)
    weight = torch.zeros(1, 2, len(codec.columns))
    weight[0, 1, list(bright)] = 4 / len(bright)
    features = rows(60, channels)
    limits = pixel_constraints(features, codec, height=HEIGHT, immutable_rows=held)
    labels = torch.arange(60) % 2
    return Advisor(
        model=builders.linear(weight.double(), torch.zeros(1, 2).double()).float(),
        others=None,
        search=builders.search(
            builders.generic(0.0001), categories=Free(), max_steps=80
        ),
        codec=codec,
        reference=Reference(features, labels, 2),
        constraints=replace(limits),
        class_names=("dark", "light"),
        sparse=True,
        image=image_form((HEIGHT, WIDTH), codec),
    )
