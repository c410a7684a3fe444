"""What a page and a file tell of images is judged again, from the pixels shown."""

import numpy as np
import torch

from cftrain.advice.answer import observed_raw
from cftrain.data.pictures.pixels import pixel_codec, scaled
from tests.advice.images import imaging
from tests.advice.images.test_telling import images, shown, told

HELD = (1, 4)


def decisions(advisor, pixels):
    return advisor.model(scaled(pixels)[None])[0].argmax(-1)


def test_every_picture_of_an_answer_is_one_for_the_model_too():
    advisor = imaging.advisor(*range(4, 50, 3), held=HELD)
    found = told(advisor, imaging.rows(24), count=2)
    advice = [each for each in found if each.answers]
    total = sum(len(each.answers) for each in advice)
    assert total > 15
    assert any(each.answers[0].put_back for each in advice)
    # The first two pictures are those of all rows; each answer has four more.
    pictures = images(shown(advisor, advice))[2:]
    before, after = np.stack(pictures[0::4]), np.stack(pictures[1::4])
    assert len(after) == total
    assert (decisions(advisor, before.reshape(total, -1)) == 0).all()
    assert (decisions(advisor, after.reshape(total, -1)) == 1).all()
    assert np.array_equal(before[:, HELD], after[:, HELD])


def test_every_change_of_a_file_is_one_for_the_model_too():
    advisor = imaging.advisor(*range(4, 50, 3), held=HELD, channels=3)
    rows, wanted = [], []
    for each in told(advisor, imaging.rows(16, channels=3), target=None, count=2):
        for answer in each.answers:
            moved = {change.column: change.after for change in answer.changes}
            assert all(isinstance(value, int) for value in moved.values())
            assert all(0 <= value <= 255 for value in moved.values())
            rows.append(list((each.given | moved).values()))
            wanted.append(advisor.class_of(each.target))
            still = [name for name in moved if int(name.split("_")[1]) in HELD]
            assert still == []
    assert len(rows) > 15
    assert set(wanted) == {0, 1}
    found = decisions(advisor, np.array(rows, dtype=np.uint8))
    assert found.tolist() == wanted


def test_observed_pixels_are_whole_however_they_were_scaled():
    values = torch.arange(256, dtype=torch.float32)
    codec = pixel_codec(16, 16)
    otherwise = (values / 255 * 2 - 1)[None]
    raw = observed_raw(otherwise, codec, pixels=True)
    assert raw.iloc[0].tolist() == values.tolist()
    assert raw.iloc[0].tolist() != codec.decode(otherwise).iloc[0].tolist()
