import numpy as np
import pytest

from cftrain.advice.images.drawn import SIGNS, WIDEST, drawing, side_by_side


def test_brightness_is_a_sign():
    image = np.repeat(np.linspace(0, 255, len(SIGNS))[None], 2, axis=0)
    assert drawing(image) == [SIGNS]


def test_a_sign_is_two_pixels_high_and_has_their_mean():
    image = np.zeros((4, 3))
    image[0, 1] = image[2:, 2] = 255
    assert drawing(image) == [" = ", "  @"] or drawing(image) == [" + ", "  @"]


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 2), (224, 224), (28, 28)])
def test_drawings_fit_and_keep_their_brightness(shape):
    image = np.random.default_rng(0).uniform(0, 255, shape)
    lines = drawing(image)
    assert {len(line) for line in lines} == {min(shape[1], WIDEST)}
    shown = np.mean([SIGNS.index(sign) for line in lines for sign in line])
    assert shown / (len(SIGNS) - 1) * 255 == pytest.approx(image.mean(), abs=15)


def test_values_beyond_white_are_white():
    assert drawing(np.full((2, 2), 1e9)) == ["@@"]
    assert drawing(np.full((2, 2), -5.0)) == ["  "]


def test_images_stand_beside_each_other():
    images = [np.zeros((2, 4)), np.full((2, 4), 255.0)]
    assert side_by_side(images, ["a", "given: 7"]) == [
        "a         given: 7",
        "          @@@@",
    ]
