"""The contestants: named optimizers, each a function of the learning rate, in named groups."""

import difflib
from collections.abc import Callable
from typing import Any, NamedTuple

import gradtx
from gradtx import GradientTransformation


class Length(NamedTuple):
    """The length of the race, which the schedules need."""

    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch


Contestant = Callable[[Any, Length], GradientTransformation]


def _plain(factory: Callable[..., GradientTransformation], **fixed: Any) -> Contestant:
    """An optimizer with a constant learning rate, which ignores the length of the race."""
    return lambda rate, length: factory(rate, **fixed)


def _all(*names: str) -> dict[str, Contestant]:
    return {name: _plain(getattr(gradtx, name)) for name in names}


def _clipped_adamw_cosine(rate: Any, length: Length) -> GradientTransformation:
    schedule = gradtx.warmup_cosine(rate, warmup_steps=length.steps // 20, decay_steps=length.steps)
    return gradtx.chain(gradtx.clip_by_global_norm(1.0), gradtx.adamw(schedule))


def _sgd_plateau(rate: Any, length: Length) -> GradientTransformation:
    schedule = gradtx.plateau(rate, factor=0.3, patience=2, accumulation_size=length.steps_per_epoch)
    return gradtx.sgd(schedule, momentum=0.9)


def _hidden(path: str, x: Any) -> str | None:
    """The axes of hidden layers; the last layer, like the biases, is not for a method of matrices."""
    return None if path.startswith("output") else {2: "i o", 4: "i i i o"}.get(x.ndim)


def _of_matrices(name: str) -> Contestant:
    """A method of matrices for hidden layers, and AdamW at the best rate that it has in this race for all else."""
    factory = getattr(gradtx, name)
    return lambda rate, length: factory(rate, others=gradtx.adamw(0.003), axes=_hidden)


def _lbfgs(rate: Any, length: Length) -> GradientTransformation:
    """L-BFGS on all images at once; the rate is the part of its step that the search tries first."""
    return gradtx.chain(gradtx.scale_by_lbfgs(), gradtx.scale_by_learning_rate(rate), gradtx.line_search())


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
    "descent": {
        "nesterov": _plain(gradtx.sgd, momentum=0.9, nesterov=True),
        "rmsprop_centered": _plain(gradtx.rmsprop, centered=True),
        **_all("adadelta", "asgd", "noisy_sgd", "optimistic_gradient_descent"),
    },
    "adam_variants": _all(
        *("amsgrad", "nadam", "nadamw", "adabelief", "radam", "adamax", "adamaxw", "yogi", "stable_adamw", "adam_mini")
    ),
    "adam_relatives": {
        **_all("laprop", "adopt", "mars", "ademamix", "simplified_ademamix", "adan", "grams"),
        # The paper's 1e-16 would multiply the first gradient of a rarely lit pixel by 1e8.
        "acprop": _plain(gradtx.acprop, eps=1e-6),
        "cautious_adam": lambda rate, length: gradtx.cautious(gradtx.adam(rate)),
    },
    "signs": _all("sign_sgd", "signum", "lion", "rprop"),
    "layerwise": _all("lamb", "lars", "novograd", "adafactor", "sm3", "madgrad", "fromage"),
    "rate_free": {
        **_all("polyak_sgd", "dog", "dowg", "cocob", "prodigy", "dadapt_adamw", "momo", "momo_adam"),
        "mechanized_sgd": lambda rate, length: gradtx.mechanize(gradtx.sgd(rate)),
    },
    "matrix": {
        name: _of_matrices(name)
        for name in ("muon", "normuon", "adamuon", "scion", "soap", "shampoo", "psgd_kron", "dion", "galore", "apollo")
    },
    "full_batch": {"lbfgs": _lbfgs},
    "others": {
        **_all("sophia"),
        "dpsgd": _plain(gradtx.dpsgd, batch_size=64),
    },
    "recipes": {
        "clipped_adamw_cosine": _clipped_adamw_cosine,
        "sgd_plateau": _sgd_plateau,
    },
}

CONTESTANTS = {name: contestant for group in GROUPS.values() for name, contestant in group.items()}

# The claimed order at one untuned rate, from the lowest to the highest loss. The race tests this claim.
ARTICLE_ORDER = ("adam", "rmsprop", "momentum", "sgd")

DEFAULT = ("sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw")


def names(text: str) -> tuple[str, ...]:
    """Parse a list of contestants.

    Args:
      text: comma-separated names of contestants or groups, or `all`.

    Returns:
      Names in `CONTESTANTS`, in the given order, without duplicates.

    Raises:
      ValueError: if the list is empty or a name is unknown; the message suggests the closest name and lists all names.
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
    """List the known names, one line per group."""
    lines = [f"  {group}: {', '.join(members)}" for group, members in GROUPS.items()]
    return "\n".join(["Known names by group (a group's name selects its members, `all` selects everything):", *lines])
