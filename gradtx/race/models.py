"""The networks in plain JAX. Parameters are a dict of dicts of arrays, and a network is a function of them."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

Array = jax.Array
Params = dict[str, dict[str, Array]]


class Task(NamedTuple):
    """A network to train on the digits.

    Attributes:
      name: the name on the command line.
      init: `init(key) -> params`.
      logits: `logits(params, images) -> logits`, from [n, 8, 8] to [n, 10].
    """

    name: str
    init: Callable[[Array], Params]
    logits: Callable[[Params, Array], Array]


def loss_and_accuracy(task: Task, params: Params, images: Array, labels: Array) -> tuple[Array, Array]:
    """The mean cross-entropy, and the fraction of images that are classified correctly."""
    logits = task.logits(params, images)
    log_probabilities = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
    return -jnp.mean(log_probabilities), jnp.mean(jnp.argmax(logits, axis=1) == labels)


def _init_mlp(key: Array) -> Params:
    keys = jax.random.split(key, 3)
    return {"hidden1": _he(keys[0], (64, 64)), "hidden2": _he(keys[1], (64, 64)), "output": _he(keys[2], (64, 10))}


def _mlp(params: Params, images: Array) -> Array:
    x = images.reshape(len(images), 64)
    x = jax.nn.relu(_dense(params["hidden1"], x))
    x = jax.nn.relu(_dense(params["hidden2"], x))
    return _dense(params["output"], x)


def _init_cnn(key: Array) -> Params:
    keys = jax.random.split(key, 3)
    return {
        "conv1": _he(keys[0], (3, 3, 1, 8)),
        "conv2": _he(keys[1], (3, 3, 8, 16)),
        "output": _he(keys[2], (4 * 4 * 16, 10)),
    }


def _cnn(params: Params, images: Array) -> Array:
    x = images[..., None]
    x = jax.nn.relu(_conv(params["conv1"], x, stride=1))
    x = jax.nn.relu(_conv(params["conv2"], x, stride=2))
    return _dense(params["output"], x.reshape(len(images), -1))


def _he(key: Array, shape: tuple[int, ...]) -> dict[str, Array]:
    """He normal initialisation, which preserves the scale of activations through a ReLU. Outputs are the last axis."""
    return {"kernel": jax.nn.initializers.he_normal()(key, shape), "bias": jnp.zeros(shape[-1])}


def _dense(layer: dict[str, Array], x: Array) -> Array:
    return x @ layer["kernel"] + layer["bias"]


def _conv(layer: dict[str, Array], x: Array, stride: int) -> Array:
    y = jax.lax.conv_general_dilated(
        x, layer["kernel"], (stride, stride), padding="SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return y + layer["bias"]


TASKS = {task.name: task for task in (Task("mlp", _init_mlp, _mlp), Task("cnn", _init_cnn, _cnn))}
