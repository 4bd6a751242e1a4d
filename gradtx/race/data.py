"""The data: 1797 handwritten digits of 8x8 pixels, which scikit-learn ships, in two fixed parts."""

import functools
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

VALIDATION_SIZE = 360


class Images(NamedTuple):
    """Arrays of NumPy or JAX: `images` [n, 8, 8] float32 in [0, 1], and the digits they show, `labels` [n] int32."""

    images: Any
    labels: Any


class Digits(NamedTuple):
    """1437 images to train on and 360 to validate on, each digit in the same proportion in both."""

    train: Images
    validation: Images


@functools.cache
def digits() -> Digits:
    """The digits, in the same two parts every time."""
    bunch = load_digits()
    images = (bunch.images / 16.0).astype(np.float32)
    labels = bunch.target.astype(np.int32)
    parts = train_test_split(images, labels, test_size=VALIDATION_SIZE, stratify=labels, random_state=0)
    train_images, validation_images, train_labels, validation_labels = parts
    return Digits(Images(train_images, train_labels), Images(validation_images, validation_labels))
