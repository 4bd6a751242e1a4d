"""The settings and the results of a race."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gradtx.race.contestants import ARTICLE_ORDER
from gradtx.race.training import Metrics

# Two rates per decade, from half a decade below Adam's usual rates to where plain SGD breaks down.
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
COMMON_RATE = 1e-2

# A member has diverged if its final training loss is more than this many times the initial one, even if it is finite.
DIVERGED = 1.2


@dataclass(frozen=True)
class Settings:
    """The settings of a race.

    Attributes:
      task: the name of the network.
      epochs: passes over the training images.
      seeds: number of seeds; each determines the initialisation and the batch order, which all contestants share.
      batch_size: images per step.
      rates: the grid of learning rates from which each contestant's rate is chosen.
      common_rate: the rate of the grid at which all contestants are compared untuned.
      target_accuracy: a validation accuracy; the race reports how soon each contestant reaches it.
    """

    task: str
    epochs: int
    seeds: int = 5
    batch_size: int = 64
    rates: tuple[float, ...] = RATES
    common_rate: float = COMMON_RATE
    target_accuracy: float = 0.95

    def __post_init__(self) -> None:
        if self.common_rate not in self.rates:
            raise ValueError(f"the common rate {self.common_rate:g} must be one of the grid's rates {self.rates}.")


@dataclass(frozen=True)
class Failure:
    """A contestant that raised an error, and the error's message."""

    name: str
    message: str


@dataclass(frozen=True)
class Result:
    """The result of one contestant.

    Attributes:
      name: the name of the contestant.
      settings: the settings of the race.
      curves: metrics before training and after each epoch, [rates, seeds, 1 + epochs].
      steps_per_epoch: the steps per epoch of each member.
      seconds_per_step: the time per step of one member that trains alone.
      state_bytes_per_parameter: the bytes of optimizer state per parameter.
    """

    name: str
    settings: Settings
    curves: Metrics
    steps_per_epoch: int
    seconds_per_step: float
    state_bytes_per_parameter: float

    @property
    def diverged(self) -> np.ndarray:
        """Whether any seed's loss became infinite or NaN, or ended clearly above its start, at each rate; [rates]."""
        train, validation = self.curves.train_loss, self.curves.validation_loss
        finite = (np.isfinite(train) & np.isfinite(validation)).all(axis=(1, 2))
        with np.errstate(invalid="ignore"):
            higher = (train[..., -1] > DIVERGED * train[..., 0]).any(axis=1)
        return ~finite | higher

    @property
    def chosen(self) -> int | None:
        """The index of the rate with the lowest final validation loss, averaged over seeds; None if all diverged."""
        if self.diverged.all():
            return None
        loss = self.curves.validation_loss[..., -1].mean(axis=1)
        return int(np.argmin(np.where(self.diverged, np.inf, loss)))

    @property
    def common(self) -> int | None:
        """The index of the common rate; None if it diverged."""
        index = self.settings.rates.index(self.settings.common_rate)
        return None if self.diverged[index] else index

    @property
    def at_edge(self) -> bool:
        """Whether the chosen rate is the lowest or highest of the grid, so that a better one may lie outside it."""
        return self.chosen in (0, len(self.settings.rates) - 1)

    def final_loss(self, rate: int | None) -> float:
        """The final training loss at the rate with this index, averaged over seeds; infinite if None or diverged."""
        if rate is None or self.diverged[rate]:
            return float("inf")
        return float(self.curves.train_loss[rate, :, -1].mean())

    def epochs_to_target(self, rate: int) -> float:
        """Epochs until the validation accuracy reaches the target, the median over seeds; infinite if it never does."""
        reached = self.curves.validation_accuracy[rate] >= self.settings.target_accuracy
        first = np.where(reached.any(axis=1), reached.argmax(axis=1), np.inf)
        # For an even number of seeds, np.median would average the middle two and match neither.
        return float(np.sort(first)[len(first) // 2])


def ordering_holds(results: dict[str, Result], rate: int) -> bool:
    """Whether Adam < RMSProp < momentum < SGD in final training loss, all at the rate with this index."""
    losses = [results[name].final_loss(rate) for name in ARTICLE_ORDER]
    return all(a < b for a, b in pairwise(losses))
