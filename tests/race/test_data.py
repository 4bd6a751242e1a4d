"""The digits and their train/validation split."""

import numpy as np

from gradtx.race.data import digits


def _rows(images):
    return {image.tobytes() for image in images}


def test_the_split_has_1437_and_360_images():
    train, validation = digits()
    assert train.images.shape == (1437, 8, 8) and train.labels.shape == (1437,)
    assert validation.images.shape == (360, 8, 8) and validation.labels.shape == (360,)


def test_no_image_is_in_both_parts():
    train, validation = digits()
    assert not _rows(train.images) & _rows(validation.images)


def test_images_range_from_zero_to_one():
    for part in digits():
        assert part.images.dtype == np.float32
        assert part.images.min() == 0.0 and part.images.max() == 1.0


def test_each_digit_has_the_same_proportion_in_both_parts():
    train, validation = (np.bincount(part.labels, minlength=10) / len(part.labels) for part in digits())
    np.testing.assert_allclose(train, validation, atol=0.005)


def test_the_split_is_the_same_every_time():
    first = digits()
    digits.cache_clear()
    np.testing.assert_array_equal(first.validation.images, digits().validation.images)
