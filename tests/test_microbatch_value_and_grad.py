"""Values and gradients part by part, against those of the whole batch."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from gradtx.microbatch_value_and_grad import microbatch_value_and_grad


def predicted(params, x):
    for layer in params["layers"]:
        x = jnp.tanh(x @ layer["kernel"] + layer["bias"])
    return x


def loss(params, batch, y):
    return jnp.mean((predicted(params, batch["x"]) - y) ** 2)


def network(width=4, depth=1, dtype=jnp.float32):
    keys = jax.random.split(jax.random.key(0), depth)
    layers = [{"kernel": jax.random.normal(k, (width, width), dtype), "bias": jnp.zeros(width, dtype)} for k in keys]
    return {"layers": layers, "absent": None}


def examples(size=12, width=4, dtype=jnp.float32):
    x, y = (jax.random.normal(jax.random.key(i), (size, width), dtype) for i in (1, 2))
    return {"x": x, "absent": None}, y


def whole(fun, *args, **options):
    return jax.jit(jax.value_and_grad(fun, **options))(*args)


def by_parts(fun, microbatches, *args, **options):
    return jax.jit(microbatch_value_and_grad(fun, microbatches, **options))(*args)


def assert_close(found, expected, rtol):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for x, y in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol)


@pytest.mark.parametrize(
    ("microbatches", "dtype", "rtol"), [(1, jnp.float32, 1e-6), (3, jnp.float32, 1e-6), (3, jnp.float64, 1e-14)]
)
def test_value_and_gradients_are_those_of_the_whole_batch(microbatches, dtype, rtol):
    with jax.enable_x64(dtype == jnp.float64):
        args = network(dtype=dtype), *examples(dtype=dtype)
        assert_close(by_parts(loss, microbatches, *args), whole(loss, *args), rtol)


@pytest.mark.parametrize("argnums", [-1, (0,), [2, 0]])
def test_argnums_are_as_in_jax(argnums):
    def fun(x, scale, shift):
        return jnp.mean(jnp.sum(jnp.sin(x), range(1, x.ndim)) * jnp.sum(scale) + jnp.sum(shift))

    args = jnp.linspace(0, 1, 6).reshape(6, 1), jnp.ones(6), jnp.linspace(1, 2, 6)
    found = by_parts(fun, 1, *args, argnums=argnums)
    assert_close(found, whole(fun, *args, argnums=argnums), 1e-6)
    shapes = jax.eval_shape(microbatch_value_and_grad(fun, 2, argnums=argnums), *args)
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, found)


def test_keyword_arguments_are_passed_whole():
    def fun(p, x, *, mode, table, key):
        noise = jax.random.normal(key, (3,)) if mode == "noisy" else 0
        return jnp.mean(x) * jnp.sum(p * table + noise)

    given = {"mode": "noisy", "table": jnp.arange(3.0), "key": jax.random.key(0)}
    args = jnp.ones(3), jnp.arange(4.0)
    found = jax.jit(partial(microbatch_value_and_grad(fun, 2), **given))(*args)
    assert_close(found, whole(partial(fun, **given), *args), 1e-6)


def masked_mean(p, x, mask):
    return jnp.sum(mask * (p * x) ** 2) / jnp.sum(mask)


def mask_sum(x, mask):
    return jnp.sum(mask)


X = jnp.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])


@pytest.mark.parametrize("dtype", [jnp.float32, bool])
def test_weights_make_a_weighted_mean_that_of_the_whole_batch(dtype):
    mask = jnp.array([1, 0, 1, 0, 0, 1], dtype)
    found = by_parts(masked_mean, 3, 2.0, X, mask, weight=mask_sum)
    assert_close(found, whole(masked_mean, 2.0, X, mask), 1e-6)


def test_a_part_of_weight_0_has_no_effect_though_its_gradient_is_nan():
    mask = jnp.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])  # of three parts, the second one is empty
    found = by_parts(masked_mean, 3, 2.0, X, mask, weight=mask_sum)
    assert_close(found, whole(masked_mean, 2.0, X, mask), 1e-6)
    assert np.isnan(by_parts(masked_mean, 3, 2.0, X, mask)[1])


@pytest.mark.parametrize("microbatches", [1, 3])
def test_weights_that_are_all_0_give_zeros(microbatches):
    found = by_parts(masked_mean, microbatches, 2.0, X, 0 * X, weight=mask_sum)
    assert_close(found, (jnp.array(0.0), jnp.array(0.0)), 0)


def test_aux_is_that_of_all_parts_as_it_was():
    def fun(p, x):
        return jnp.mean(p * x), {"x": x.astype(jnp.bfloat16), "size": x.shape[0], "none": None}

    (value, aux), grads = by_parts(fun, 3, 2.0, X, has_aux=True)
    assert (value, grads) == (7.0, 3.5)
    assert aux["x"].dtype == jnp.bfloat16
    np.testing.assert_array_equal(aux["x"], [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(aux["size"], [2, 2, 2])
    assert aux["none"] is None
    (_, aux), _ = jax.eval_shape(microbatch_value_and_grad(fun, 1, has_aux=True), 2.0, X)
    assert (aux["x"].shape, aux["size"].shape) == ((1, 6), (1,))


def test_narrow_gradients_are_summed_and_returned_in_float32():
    def fun(p, x):
        return jnp.mean(p * x)

    x = jnp.linspace(1, 2, 256, dtype=jnp.bfloat16)
    exact = np.mean(np.asarray(x, np.float64))
    value, grads = by_parts(fun, 256, jnp.ones((), jnp.bfloat16), x)
    assert value.dtype == grads.dtype == jnp.float32
    np.testing.assert_allclose((value, grads), exact, rtol=1e-6)
    in_bfloat16 = jax.lax.fori_loop(0, 256, lambda i, total: total + x[i], jnp.zeros((), jnp.bfloat16)) / 256
    assert abs(float(in_bfloat16) - exact) > 0.1
    one_part = jax.eval_shape(microbatch_value_and_grad(fun, 1), jnp.ones((), jnp.bfloat16), x)
    assert [x.dtype for x in one_part] == [jnp.float32, jnp.float32]


def test_complex_parameters_are_as_in_jax_and_integers_are_refused():
    def fun(p, x):
        return jnp.mean(jnp.abs(p * x) ** 2)

    args = jnp.array([1 + 2j, -1j]), jnp.ones((4, 2))
    assert_close(by_parts(fun, 2, *args, weight=lambda x: 3), whole(fun, *args), 1e-6)
    with pytest.raises(TypeError, match="grad requires real- or complex-valued inputs"):
        microbatch_value_and_grad(fun, 2)(jnp.arange(2), args[1])


def test_it_maps_over_populations():
    def of_population(function):
        return jax.jit(jax.vmap(function, (0, None, None)))(population, *examples())

    population = jax.tree.map(lambda p: jnp.stack([p, 2 * p, 3 * p]), network())
    parts = microbatch_value_and_grad(loss, 4, weight=lambda batch, y: y.shape[0])
    assert_close(of_population(parts), of_population(jax.value_and_grad(loss)), 1e-5)


def test_it_is_differentiable():
    def cubic(p, x):
        return jnp.mean(p**3 * x)

    def slope(gradients):
        return jax.jit(jax.grad(lambda p: gradients(p, X)[1] ** 2))(2.0)

    np.testing.assert_allclose(slope(microbatch_value_and_grad(cubic, 2)), slope(jax.value_and_grad(cubic)), rtol=1e-6)


def test_keys_are_split_like_arrays():
    def drawn(p, keys):
        return p, jax.vmap(jax.random.bits)(keys)

    keys = jax.random.split(jax.random.key(0), 4)
    (_, aux), _ = by_parts(drawn, 2, 1.0, keys, has_aux=True)
    np.testing.assert_array_equal(aux.T.reshape(4), jax.jit(jax.vmap(jax.random.bits))(keys))


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit])
def test_the_parts_of_a_sharded_batch_are_sharded_alike(kind):
    mesh = jax.make_mesh((4,), ("data",), axis_types=(kind,), devices=jax.devices()[:4])
    params, (batch, y) = network(), examples()
    with jax.set_mesh(mesh):
        sharded = jax.device_put((batch, y), NamedSharding(mesh, P("data")))
        compiled = jax.jit(microbatch_value_and_grad(loss, 3)).lower(params, *sharded).compile()
        assert not re.search("all-to-all|all-gather|collective-permute", compiled.as_text())
        found = compiled(params, *sharded)
    assert_close(jax.device_get(found), jax.device_get(whole(loss, params, batch, y)), 1e-5)


def test_it_needs_the_memory_of_one_part():
    args = network(width=16, depth=4), *examples(size=4096, width=16)

    def memory(fun):
        return jax.jit(fun).lower(*args).compile().memory_analysis().temp_size_in_bytes

    assert memory(microbatch_value_and_grad(loss, 16)) < memory(jax.value_and_grad(loss)) / 8


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda fun: microbatch_value_and_grad(fun, 5)({}, {"x": jnp.ones((12, 4))}, jnp.ones(12)),
            ValueError,
            "batch['x'] is float32[12,4], which cannot be split into 5 equal parts; choose a divisor.",
        ),
        (
            lambda fun: microbatch_value_and_grad(fun, 2)({}, {"x": jnp.ones(12)}, jnp.ones(6)),
            ValueError,
            "y is float32[6], but batch['x'] has 12 examples. Pass what is not part of the batch by keyword.",
        ),
        (
            lambda fun: microbatch_value_and_grad(fun, 2)({}, {"x": jnp.ones(12), "rate": 0.5}, jnp.ones(12)),
            ValueError,
            "batch['rate'] is float, which has no axis of examples. Pass what is not part of the batch by keyword.",
        ),
        (
            lambda fun: microbatch_value_and_grad(fun, 2)({}, jnp.array(1.0), jnp.ones(12)),
            ValueError,
            "batch is float32[], which has no axis",
        ),
        (
            lambda fun: microbatch_value_and_grad(fun, 2)({}, jax.random.key(0), jnp.ones(12)),
            ValueError,
            "batch is key[], which has no axis",
        ),
        (
            lambda fun: microbatch_value_and_grad(lambda *args: 0.0, 2)({}, jnp.ones(3)),
            ValueError,
            "argument 1 is float32[3], which cannot be split",
        ),
        (
            lambda fun: microbatch_value_and_grad(fun, 2)({}, batch=jnp.ones(2), y=jnp.ones(2)),
            ValueError,
            "there is no batch; give it by position, as are the parameters.",
        ),
        (
            lambda fun: microbatch_value_and_grad(fun, 2, argnums=(0, 3))({}, jnp.ones(2), jnp.ones(2)),
            TypeError,
            "argnums = (0, 3), but 3 arguments were given by position.",
        ),
        (
            lambda fun: microbatch_value_and_grad(masked_mean, 2, weight=lambda x, mask: mask)(1.0, X, X),
            ValueError,
            "weight returned float32[3]; expected one number for the part, such as the sum of its mask.",
        ),
        (
            lambda fun: microbatch_value_and_grad(fun, 0),
            ValueError,
            "microbatches = 0 is out of range: expected at least 1.",
        ),
        (lambda fun: microbatch_value_and_grad(fun, 2.5), TypeError, "microbatches = 2.5 is not an int"),
    ],
)
def test_a_mistake_is_an_error_that_names_the_argument(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call(loss)
