import io
import sys

import numpy as np
import pytest
from PIL import Image

from cftrain.data.pictures.album import Item
from cftrain.data.pictures.canvas import Canvas, values_of
from cftrain.errors import DataError
from tests.data.pictures.making import bomb, deep_png, encoded

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
RGB = np.stack([GREY, 255 - GREY, GREY // 2], -1)


def item(content: bytes | np.ndarray) -> Item:
    return Item(where="a/1.png", label="a", part=None, content=content)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opaque(mode: str) -> bytes:
    return saved(Image.fromarray(GREY if mode == "LA" else RGB).convert(mode))


def palette() -> bytes:
    return saved(Image.fromarray(RGB).quantize(12))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(GREY), GREY[..., None]),
        (encoded(RGB), RGB),
        (encoded(RGB, "BMP"), RGB),
        (encoded(GREY, "TIFF"), GREY[..., None]),
        (encoded(RGB, "PPM"), RGB),
        (opaque("RGBA"), RGB),
        (opaque("LA"), GREY[..., None]),
        (palette(), RGB),
        (
            saved(Image.fromarray(GREY > 100)),
            np.where(GREY > 100, 255, 0)[..., None],
        ),
    ],
)
def test_values_are_those_of_the_file(content, expected):
    found = values_of(item(content))
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)


def test_a_photograph_is_nearly_what_it_was():
    wide = np.full((16, 16, 3), (200, 100, 50), dtype=np.uint8)
    found = values_of(item(encoded(wide, "JPEG", quality=95)))
    assert np.abs(found.astype(int) - wide).max() < 4


def transparent() -> bytes:
    image = Image.fromarray(RGB).convert("RGBA")
    image.putpixel((0, 0), (1, 2, 3, 128))
    return saved(image)


def key_colour() -> bytes:
    """A colour of an opaque image that stands for nothing."""
    return saved(Image.fromarray(RGB), transparency=tuple(map(int, RGB[0, 0])))


def animation() -> bytes:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


WHOLE = encoded(np.random.default_rng(0).integers(0, 256, (60, 60)).astype(np.uint8))
BAD = {
    "transparent": (transparent(), "without transparent pixels"),
    "a key colour": (key_colour(), "without transparent pixels"),
    "16 bits, grey": (deep_png(1), "of 8 bits a channel, got the mode .*16"),
    "16 bits, RGB": (deep_png(3), "of 8 bits a channel, got the mode RGB, 16 bits"),
    "floats": (saved(Image.fromarray(GREY.astype(np.float32)), "TIFF"), "the mode F"),
    "inks": (saved(Image.fromarray(RGB).convert("CMYK"), "JPEG"), "the mode CMYK"),
    "animation": (animation(), "a single image, got several"),
    "truncated": (WHOLE[: len(WHOLE) // 2], "expected a whole image, got .*truncated"),
    "damaged": (WHOLE[:60] + b"\xff" * 40 + WHOLE[100:], "expected a whole image"),
    "empty": (b"", "expected an image .*got something else"),
    "text": (b"no image at all", "expected an image .*got something else"),
    "a program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "expected an"),
    "a large bomb": (bomb(60_000), "expected a whole image, got .*Decompression"),
    "a bomb": (bomb(10_000), "expected a whole image, got .*Decompression"),
}


@pytest.mark.parametrize("name", BAD)
def test_other_files_are_refused_by_name(name):
    content, reason = BAD[name]
    with pytest.raises(DataError, match=reason) as raised:
        values_of(item(content))
    assert str(raised.value).startswith("a/1.png: ")


def canvas(**changes) -> Canvas:
    plain = {"height": 3, "width": 4, "channels": 1}
    made = {"resize": False, "recolour": False, "settled": False}
    return Canvas(**{**plain, **made, **changes})


@pytest.mark.parametrize(
    "wrap", [encoded, lambda pixels: pixels], ids=["file", "array"]
)
def test_images_unlike_the_others_are_refused_unless_they_shall_be_made_alike(wrap):
    grey = GREY if wrap is encoded else GREY[..., None]
    with pytest.raises(DataError, match=r"expected grey .*got RGB; data.channels=1"):
        canvas().drawn(item(wrap(RGB)))
    with pytest.raises(DataError, match=r"expected 2 x 4 pixels .*got 3 x 4; 'data.si"):
        canvas(height=2).drawn(item(wrap(grey)))
    with pytest.raises(DataError, match=r"as the model was .* got RGB; convert it"):
        canvas(settled=True).drawn(item(wrap(RGB)))
    with pytest.raises(DataError, match=r"as the model was .* got 3 x 4; resize it"):
        canvas(height=2, settled=True).drawn(item(wrap(grey)))
    found = canvas(channels=3, recolour=True).drawn(item(wrap(grey)))
    assert np.array_equal(found, np.repeat(GREY[..., None], 3, -1))
    both = canvas(height=6, width=2, resize=True, recolour=True)
    assert both.drawn(item(wrap(RGB))).shape == (6, 2, 1)


def test_arrays_need_no_pillow_and_files_say_what_they_need(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    values = GREY[..., None]
    assert canvas().drawn(item(values)) is values
    with pytest.raises(DataError, match=r"need Pillow, which pip install 'cftrain\[im"):
        values_of(item(encoded_before))


encoded_before = encoded(GREY)
