"""Who may race: optimizers by name, each a function of the learning rate, in groups that have names too."""

import difflib
from collections.abc import Callable
from typing import Any, NamedTuple

import gradtx
from gradtx import GradientTransformation


class Length(NamedTuple):
    """How long the race is, which schedules follow."""

    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch


Contestant = Callable[[Any, Length], GradientTransformation]


def _plain(factory: Callable[..., GradientTransformation], **fixed: float) -> Contestant:
    """An optimizer whose learning rate is constant: the length of the race is nothing to it."""
    return lambda rate, length: factory(rate, **fixed)


def _clipped_adamw_cosine(rate: Any, length: Length) -> GradientTransformation:
    schedule = gradtx.warmup_cosine(rate, warmup_steps=length.steps // 20, decay_steps=length.steps)
    return gradtx.chain(gradtx.clip_by_global_norm(1.0), gradtx.adamw(schedule))


def _sgd_plateau(rate: Any, length: Length) -> GradientTransformation:
    schedule = gradtx.plateau(rate, factor=0.3, patience=2, accumulation_size=length.steps_per_epoch)
    return gradtx.sgd(schedule, momentum=0.9)


GROUPS: dict[str, dict[str, Contestant]] = {
    "article": {
        "sgd": _plain(gradtx.sgd),
        "momentum": _plain(gradtx.sgd, momentum=0.9),
        "rmsprop": _plain(gradtx.rmsprop),
        "adagrad": _plain(gradtx.adagrad),
        "adam": _plain(gradtx.adam),
        "adamw": _plain(gradtx.adamw),
        "adam_l2": _plain(gradtx.adam_l2),
    },
    "adam_variants": {
        "amsgrad": _plain(gradtx.amsgrad),
        "nadam": _plain(gradtx.nadam),
        "adabelief": _plain(gradtx.adabelief),
    },
    "recipes": {
        "clipped_adamw_cosine": _clipped_adamw_cosine,
        "sgd_plateau": _sgd_plateau,
    },
}

CONTESTANTS = {name: contestant for group in GROUPS.values() for name, contestant in group.items()}

# From the least to the greatest loss at one untuned rate: the claim that a race puts to the test.
ARTICLE_ORDER = ("adam", "rmsprop", "momentum", "sgd")

DEFAULT = ("sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw")


def names(text: str) -> tuple[str, ...]:
    """The contestants that a text names.

    Args:
      text: names of contestants or groups, or `all`, with commas between them.

    Returns:
      Names in `CONTESTANTS`, in the order given, each once.

    Raises:
      ValueError: if there is none, or one is unknown; the message suggests the closest and lists the known ones.
    """
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    if not wanted:
        raise ValueError(f"{text!r} names no optimizer.\n{known()}")
    return tuple(dict.fromkeys(name for word in wanted for name in _expand(word)))


def _expand(word: str) -> tuple[str, ...]:
    if word == "all":
        return tuple(CONTESTANTS)
    if word in GROUPS:
        return tuple(GROUPS[word])
    if word in CONTESTANTS:
        return (word,)
    close = difflib.get_close_matches(word.lower(), [*CONTESTANTS, *GROUPS, "all"], n=1)
    suggestion = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"there is no optimizer {word!r} in the race.{suggestion}\n{known()}")


def known() -> str:
    """The known names, one line per group."""
    lines = [f"  {group}: {', '.join(members)}" for group, members in GROUPS.items()]
    return "\n".join(["Known, by group (a group's name or `all` stands for its members):", *lines])
