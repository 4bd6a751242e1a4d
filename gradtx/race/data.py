"""The data: 1797 handwritten digits of 8x8 pixels from scikit-learn, with a fixed train/validation split."""

import functools
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

VALIDATION_SIZE = 360


class Images(NamedTuple):
    """NumPy or JAX arrays: `images`, [n, 8, 8] float32 in [0, 1], and the digits they show, `labels`, [n] int32."""

    images: Any
    labels: Any


class Digits(NamedTuple):
    """1437 training images and 360 validation images, with the same proportion of each digit."""

    train: Images
    validation: Images


@functools.cache
def digits() -> Digits:
    """Load the digits. The split is the same every time."""
    bunch = load_digits()
    images = (bunch.images / 16.0).astype(np.float32)
    labels = bunch.target.astype(np.int32)
    parts = train_test_split(images, labels, test_size=VALIDATION_SIZE, stratify=labels, random_state=0)
    train_images, validation_images, train_labels, validation_labels = parts
    return Digits(Images(train_images, train_labels), Images(validation_images, validation_labels))
