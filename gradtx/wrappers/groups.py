"""A transformation for each group of arrays, by patterns."""

from __future__ import annotations

from gradtx.core import GradientTransformation, transformation
from gradtx.core.patterns import FirstMatch, Patterns, texts
from gradtx.wrappers.partition import partition


@transformation
def groups(transforms: Patterns, *, allow_unused: bool = False) -> GradientTransformation:
    """Apply to each array the transformation of the first pattern that it fits.

    u = transforms[pattern](u)

    A pattern is a glob on the path, such as "encoder/layer_0/bias" or "*/bias", in which "*" is any text, slashes
    included, and a "*/" at the front may be nothing at all; or `re.compile(...)` for the whole path; or a condition,
    `ndim(2)`, `shape(None, 512)` or `dtype("bfloat16")`; or a function of the path and the array; or a tuple of these,
    of which one must fit. The trailing `value` of a Flax variable may be left out of the path.

    Args:
      transforms: a transformation for each pattern, in order. "**" fits everything. Arrays under `set_to_zero()` are
        held still, and have no state.
      allow_unused: whether a pattern may fit no array.

    Returns:
      A transformation that keeps, under the text of each pattern with dots for slashes, what its transformation keeps
      for its arrays.

    Raises:
      TypeError: if `transforms` is not a dict of patterns and transformations of arrays into arrays.
      ValueError: when used, if an array fits no pattern, or a pattern no array; the message lists them.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.groups({"*/bias": gradtx.sgd(0.1), "embed/*": gradtx.adamw(1e-3), "**": gradtx.lion(1e-4)})
      >>> layer = {"kernel": jnp.zeros((2, 2)), "bias": jnp.zeros(2)}
      >>> state = tx.init({"embed": {"table": jnp.zeros((3, 2))}, "layer_0": layer})
      >>> list(state)
      ['step', 'embed.*', '**']
    """
    names = texts(transforms)
    first = FirstMatch(tuple(names), tuple(names.values()), None, allow_unused, "groups")
    return partition({names[pattern]: tx for pattern, tx in transforms.items()}, first)
