import numpy as np
import pytest

from cftrain.advice.images.form import image_form
from cftrain.data.encoding import fit_codec
from cftrain.data.pictures.pixels import pixel_codec
from cftrain.errors import ResultError
from tests.advice import lending


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_where_their_names_say(channels):
    codec = pixel_codec(2, 3, channels)
    form = image_form((2, 3), codec)
    pixels = form.pixels(dict(zip(codec.inputs, range(6 * channels), strict=True)))
    assert pixels.shape == form.shape == (2, 3, channels)
    for number, name in enumerate(codec.inputs):
        line, column = map(int, name.split("_")[1:3])
        assert pixels[line, column, number % channels] == number


def test_a_row_that_is_no_image_has_no_form():
    assert image_form(None, lending.codec()) is None


@pytest.mark.parametrize("shape", [(3, 2), (0, 6), (2, 2), (-1, -6), (6, 2)])
def test_shapes_that_do_not_fit_are_refused(shape):
    """As a folder from elsewhere may have them."""
    codec = pixel_codec(2, 3)
    if shape == (3, 2):  # as many pixels: nobody can tell
        assert image_form(shape, codec) is not None
        return
    with pytest.raises(ResultError, match="one or three columns"):
        image_form(shape, codec)


def test_levels_are_no_pixels():
    with pytest.raises(ResultError, match="columns of numbers"):
        image_form(
            (2, 2),
            fit_codec(lending.frame(), lending.KINDS, levels={}, standardise=True),
        )


@pytest.mark.parametrize("channels", [1, 3])
def test_parts_are_ninths_of_the_image(channels):
    form = image_form((6, 9), pixel_codec(6, 9, channels))
    parts = form.parts.reshape(form.shape)
    assert (parts == parts[..., :1]).all()
    shown = parts[::2, ::3, 0]
    assert np.array_equal(shown, np.arange(9).reshape(3, 3))
    assert np.bincount(form.parts).tolist() == [6 * channels] * 9
