import base64
import io

import numpy as np
import pytest
from PIL import Image

from cftrain.advice.images.png import data_address, png


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_another_program_reads_the_same_pixels(channels, mode):
    pixels = np.random.default_rng(channels).integers(0, 256, (5, 7, channels))
    found = Image.open(io.BytesIO(png(pixels)))
    found.load()
    assert found.mode == mode
    assert np.array_equal(np.asarray(found).reshape(pixels.shape), pixels)


def test_values_that_no_pixel_has_are_cut():
    values = np.array([[[-3.0], [255.4], [1e30], [np.nan], [np.inf]]])
    found = np.asarray(Image.open(io.BytesIO(png(values))))
    assert found.tolist() == [[0, 255, 255, 0, 255]]


def test_an_address_holds_the_whole_file():
    pixels = np.zeros((2, 2, 1))
    kind, _, content = data_address(pixels).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == png(pixels)
