"""Train one network, or a whole population at once: one network for each learning rate and seed.

A transformation is a pytree of its hyperparameters, so a population is `jax.vmap` over a transformation whose learning
rate is an array. One compiled epoch trains all rates and all seeds.
"""

import functools
import statistics
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import gradtx
from gradtx import GradientTransformation
from gradtx.core.mathematics import Matrixwise
from gradtx.race.data import Digits, Images
from gradtx.race.models import Params, Task, loss_and_accuracy

Array = jax.Array


class Member(NamedTuple):
    """One network in training. In a population, every array has two leading axes: rates and seeds."""

    params: Params
    state: Any


class Metrics(NamedTuple):
    """The metrics at the end of an epoch: scalars, or [rates, seeds] for a population.

    Attributes:
      train_loss: the mean loss over the batches of the epoch; before the first epoch, the loss on all training images.
      validation_loss: the loss on all validation images.
      validation_accuracy: the fraction of validation images that are classified correctly.
    """

    train_loss: Any
    validation_loss: Any
    validation_accuracy: Any


def start(task: Task, tx: GradientTransformation, seed: Any) -> Member:
    """Initialise a network and the state of its optimizer."""
    params = _first(task, seed)
    return Member(params, tx.init(params))


def train_epoch(
    task: Task, batch_size: int, tx: GradientTransformation, member: Member, seed: Any, train: Images, epoch: Any
) -> tuple[Member, Array]:
    """Make one pass over the images, in an order that the seed and the epoch determine. A partial batch is dropped.

    An optimizer that asks for the loss as a function is given all images at once: one step.

    Args:
      task: the network.
      batch_size: images per step.
      tx: the optimizer.
      member: the network and the optimizer's state.
      seed: an int.
      train: the images.
      epoch: the number of the epoch, which starts at 1.

    Returns:
      The network after the epoch, and the mean loss over its batches.
    """
    train = jax.tree.map(jnp.asarray, train)
    order = jax.random.permutation(_key(seed, epoch), len(train.labels))
    steps, size = steps_per_epoch(tx, batch_size, train), len(order) if searches(tx) else batch_size
    batches = order[: steps * size].reshape(steps, size)

    def step(member: Member, batch: Array) -> tuple[Member, Array]:
        def loss_of(params: Params) -> Array:
            return loss_and_accuracy(task, params, train.images[batch], train.labels[batch])[0]

        loss, gradients = jax.value_and_grad(loss_of)(member.params)
        extra = {"value": loss}
        if "hessian" in tx.needs:
            key = jax.random.fold_in(_key(seed, epoch), batch[0])
            extra["hessian"] = gradtx.hutchinson(loss_of, member.params, key)
        if searches(tx):
            extra.update(grad=gradients, value_fn=loss_of)
        updates, state = tx.update(gradients, member.state, member.params, **extra)
        return Member(gradtx.apply_updates(member.params, updates), state), loss

    member, losses = jax.lax.scan(step, member, batches)
    return member, jnp.mean(losses)


def searches(tx: GradientTransformation) -> bool:
    """Whether an optimizer asks for the loss as a function, which then is that of all images."""
    return "value_fn" in tx.needs


def steps_per_epoch(tx: GradientTransformation, batch_size: int, train: Images) -> int:
    """The steps in one pass over the images."""
    return 1 if searches(tx) else len(train.labels) // batch_size


def start_population(task: Task, tx: GradientTransformation, seeds: Array, digits: Digits) -> tuple[Member, Metrics]:
    """Initialise the networks of all rates and seeds.

    Args:
      task: the network.
      tx: an optimizer with an array of learning rates, [rates].
      seeds: ints, [seeds].
      digits: the data.

    Returns:
      The population and its metrics.
    """
    params, metrics = _untrained(task, seeds, digits)

    def one(tx: GradientTransformation, params: Params, metrics: Metrics) -> tuple[Member, Metrics]:
        return Member(params, tx.init(params)), metrics

    return jax.vmap(jax.vmap(one, (None, 0, 0)), (_axes(tx), None, None))(tx, params, metrics)


@functools.partial(jax.jit, static_argnames="task")
def _untrained(task: Task, seeds: Array, digits: Digits) -> tuple[Params, Metrics]:
    """Networks and metrics with a leading [seeds] axis. They do not depend on the optimizer, so this compiles once."""

    def one(seed: Array) -> tuple[Params, Metrics]:
        params = _first(task, seed)
        train_loss, _ = loss_and_accuracy(task, params, *digits.train)
        return params, Metrics(train_loss, *loss_and_accuracy(task, params, *digits.validation))

    return jax.vmap(one)(seeds)


@functools.partial(jax.jit, static_argnames=("task", "batch_size"), donate_argnames="population")
def train_population(
    task: Task,
    batch_size: int,
    tx: GradientTransformation,
    population: Member,
    seeds: Array,
    digits: Digits,
    epoch: Any,
) -> tuple[Member, Metrics]:
    """Run `train_epoch` for all rates and seeds. The arguments and the result are as for `start_population`."""

    def one(tx: GradientTransformation, member: Member, seed: Array) -> tuple[Member, Metrics]:
        member, train_loss = train_epoch(task, batch_size, tx, member, seed, digits.train, epoch)
        return member, Metrics(train_loss, *loss_and_accuracy(task, member.params, *digits.validation))

    if _decomposes(tx):
        return _one_after_another(one, tx, population, seeds)
    return jax.vmap(jax.vmap(one, (None, 0, 0)), (_axes(tx), 0, None))(tx, population, seeds)


def _decomposes(tx: GradientTransformation) -> bool:
    """Whether some steps decompose matrices, which under `jax.vmap` every step would do."""
    found = (stage.mathematics for stage in tx.plan.all_stages)
    return any(x.update.refresh is not None for x in found if isinstance(x, Matrixwise))


def _one_after_another(one: Any, tx: GradientTransformation, population: Member, seeds: Array) -> Any:
    """The members of a population in turn."""
    leaves, treedef = jax.tree.flatten(tx)
    rates = [x for x in leaves if jnp.ndim(x)]

    def of_rate(given: Any) -> Any:
        own, members = given
        numbers = iter(own)
        alone = jax.tree.unflatten(treedef, [next(numbers) if jnp.ndim(x) else x for x in leaves])
        return jax.lax.map(lambda member: one(alone, *member), (members, seeds))

    return jax.lax.map(of_rate, (rates, population))


def seconds_per_step(
    task: Task, batch_size: int, tx: GradientTransformation, train: Images, repetitions: int = 15
) -> float:
    """The time per step of one network: the median time of a compiled epoch, divided by the number of its steps."""
    epoch = jax.jit(functools.partial(train_epoch, task, batch_size))
    train = jax.device_put(train)
    member = start(task, tx, 0)
    jax.block_until_ready(epoch(tx, member, 0, train, 1))  # compiles
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        jax.block_until_ready(epoch(tx, member, 0, train, 1))
        times.append(time.perf_counter() - began)
    return statistics.median(times) / steps_per_epoch(tx, batch_size, train)


def state_bytes_per_parameter(task: Task, tx: GradientTransformation) -> float:
    """The bytes of optimizer state per parameter; float32 Adam keeps about 8."""
    member = jax.eval_shape(lambda: start(task, tx, 0))
    size = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(member.state))
    return size / sum(x.size for x in jax.tree.leaves(member.params))


def _axes(tx: GradientTransformation) -> GradientTransformation:
    """The `in_axes` with which `jax.vmap` batches a transformation's array leaves, which are its learning rates."""
    return jax.tree.map(lambda x: 0 if jnp.ndim(x) else None, tx)


def _first(task: Task, seed: Any) -> Params:
    return task.init(_key(seed, 0))


def _key(seed: Any, epoch: Any) -> Array:
    return jax.random.fold_in(jax.random.key(seed), epoch)
