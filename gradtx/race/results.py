"""What a race is run with, and what comes out of it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gradtx.race.contestants import ARTICLE_ORDER
from gradtx.race.training import Metrics

# From half a decade below Adam's usual rates to where plain SGD breaks, two rates per decade.
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
COMMON_RATE = 1e-2

# Members that end with a training loss above this many times their first have diverged, finite or not.
DIVERGED = 1.2


@dataclass(frozen=True)
class Settings:
    """What a race is run with.

    Attributes:
      task: the name of the network.
      epochs: passes over the training images.
      seeds: how many seeds; each fixes an initialisation and an order of batches, the same for all contestants.
      batch_size: images per step.
      rates: the learning rates among which each contestant's is chosen.
      common_rate: the one of them at which all are compared untuned.
      target_accuracy: of the validation images; how soon it is reached is reported.
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
    """A contestant that raised an error, and what it said."""

    name: str
    message: str


@dataclass(frozen=True)
class Result:
    """What one contestant did.

    Attributes:
      name: of the contestant.
      settings: of the race.
      curves: metrics after each epoch, [rates, seeds, 1 + epochs]; the first is before the first step.
      steps_per_epoch: of each member.
      seconds_per_step: of one member alone.
      state_bytes_per_parameter: of the optimizer.
    """

    name: str
    settings: Settings
    curves: Metrics
    steps_per_epoch: int
    seconds_per_step: float
    state_bytes_per_parameter: float

    @property
    def diverged(self) -> np.ndarray:
        """Whether a rate let any seed's loss become infinite or NaN, or end clearly above its start; [rates]."""
        train, validation = self.curves.train_loss, self.curves.validation_loss
        finite = (np.isfinite(train) & np.isfinite(validation)).all(axis=(1, 2))
        with np.errstate(invalid="ignore"):
            higher = (train[..., -1] > DIVERGED * train[..., 0]).any(axis=1)
        return ~finite | higher

    @property
    def chosen(self) -> int | None:
        """The index of the rate with the least final validation loss, the mean over seeds; None if all diverged."""
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
        """Whether the chosen rate is the grid's least or greatest, so that a better one may lie beyond."""
        return self.chosen in (0, len(self.settings.rates) - 1)

    def final_loss(self, rate: int | None) -> float:
        """The training loss of the last epoch at the rate of this index, the mean over seeds; infinite for none."""
        if rate is None or self.diverged[rate]:
            return float("inf")
        return float(self.curves.train_loss[rate, :, -1].mean())

    def epochs_to_target(self, rate: int) -> float:
        """Epochs until the validation accuracy is the target's, the median over seeds; infinite if never."""
        reached = self.curves.validation_accuracy[rate] >= self.settings.target_accuracy
        first = np.where(reached.any(axis=1), reached.argmax(axis=1), np.inf)
        # Not np.median, whose mean of the middle two of an even number would be no seed's time.
        return float(np.sort(first)[len(first) // 2])


def ordering_holds(results: dict[str, Result], rate: int) -> bool:
    """Whether Adam < RMSProp < momentum < SGD in final training loss, all at the rate of this index."""
    losses = [results[name].final_loss(rate) for name in ARTICLE_ORDER]
    return all(a < b for a, b in pairwise(losses))
