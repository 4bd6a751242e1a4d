"""Run the race: train one contestant after another, each as one population."""

from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from gradtx.race import training
from gradtx.race.contestants import CONTESTANTS, Length
from gradtx.race.data import digits
from gradtx.race.models import TASKS
from gradtx.race.results import Failure, Result, Settings
from gradtx.race.training import Metrics


def race(settings: Settings, names: Sequence[str], *, progress: bool = True) -> Iterator[Result | Failure]:
    """Run the contestants one after another.

    Args:
      settings: the settings, shared by all contestants.
      names: names of contestants in `CONTESTANTS`.
      progress: whether to show a progress bar on stderr.

    Yields:
      The result of each contestant as soon as it finishes. An error in one contestant does not stop the others.
    """
    with tqdm(total=len(names) * settings.epochs, disable=not progress, unit="epoch") as bar:
        for name in names:
            bar.set_description(name)
            try:
                result: Result | Failure = run(settings, name, bar)
            except Exception as error:
                result = Failure(name, f"{type(error).__name__}: {error}")
            yield result


def run(settings: Settings, name: str, bar: tqdm) -> Result:
    """Train one contestant at all learning rates with all seeds, and measure the cost of one of its steps."""
    task, data = TASKS[settings.task], digits()
    length = Length(settings.epochs, len(data.train.labels) // settings.batch_size)
    tx = CONTESTANTS[name](jnp.array(settings.rates), length)
    seeds, images = jnp.arange(settings.seeds), jax.device_put(data)

    population, metrics = training.start_population(task, tx, seeds, images)
    history = [jax.device_get(metrics)]
    for epoch in range(1, settings.epochs + 1):
        population, metrics = training.train_population(task, settings.batch_size, tx, population, seeds, images, epoch)
        history.append(jax.device_get(metrics))
        bar.set_postfix_str(f"best validation loss {_best(history[-1]):.4f}")
        bar.update()

    curves = Metrics(*(np.stack(field, axis=-1) for field in zip(*history, strict=True)))
    alone = CONTESTANTS[name](settings.common_rate, length)
    return Result(
        name,
        settings,
        curves,
        training.steps_per_epoch(alone, settings.batch_size, data.train),
        training.seconds_per_step(task, settings.batch_size, alone, data.train),
        training.state_bytes_per_parameter(task, alone),
    )


def _best(metrics: Metrics) -> float:
    """The lowest validation loss of any rate, averaged over seeds."""
    means = metrics.validation_loss.mean(axis=1)
    return float(np.min(np.where(np.isfinite(means), means, np.inf)))
