"""Transformations from text and from configurations, and as configurations."""

import json
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from gradtx.parse import DEEPEST, LONGEST, parse
from gradtx.to_config import to_config
from properties import registry

# These hold a Python function in the registry.
WITH_FUNCTIONS = {
    *(
        "conditionally",
        "dog",
        "freeze",
        "leafwise",
        "matrixwise",
        "masked",
        "measure",
        "partition",
        "prodigy",
        "project",
        "stateless",
    ),
    *("stepwise", "treewise"),
}
# This one is made by a factory of the tests.
OF_ANOTHER_FACTORY = {"wrapping"}
NAMES = [name for name in registry.NAMES if name not in WITH_FUNCTIONS | OF_ANOTHER_FACTORY]
VALUES = {
    "mask": lambda: gradtx.masked(gradtx.adam(0.1), {"w": True, "deep": [False, (True, None)]}),
    "labels": lambda: gradtx.partition({"a": gradtx.adam(0.1), "b": gradtx.set_to_zero()}, {"w": "a", "deep": "b"}),
    "whole labels": lambda: gradtx.partition({1: gradtx.adam(0.1), 2: gradtx.set_to_zero()}, {"w": 1, "deep": 2}),
    "special labels": lambda: gradtx.partition(
        {"=a": gradtx.scale(1.0), "_target_": gradtx.scale(2.0)}, {"w": "=a", "_args_": "_target_"}
    ),
    "tuple keys": lambda: gradtx.freeze({("dense", "kernel"): True, ("dense", "bias"): False}),
    "patterns": lambda: gradtx.groups(
        {
            re.compile("a/.*", re.DOTALL | re.IGNORECASE): gradtx.scale(1.0),
            gradtx.ndim(at_least=2): gradtx.scale(2.0),
            gradtx.shape(None, 3): gradtx.scale(3.0),
            ("*/b", gradtx.dtype("bfloat16")): gradtx.scale(4.0),
            "**": gradtx.chain(gradtx.scale(5.0)),
        }
    ),
    "axes": lambda: gradtx.adaptive_grad_clip(0.1, axes={"*/qkv": "i 3o", gradtx.ndim(3): None}),
    "negative": lambda: gradtx.scale(-0.0),
    "numbers that JSON has not": lambda: gradtx.freeze({"w": math.inf, "deep": [-math.inf, math.nan]}),
    "JAX scalar": lambda: gradtx.sgd(jnp.float32(0.1), momentum=jnp.bfloat16(0.5)),
    "NumPy scalar": lambda: gradtx.sgd(np.float32(0.1), momentum=np.float16(0.5)),
    "JAX array": lambda: gradtx.sgd(jnp.array([0.1, 0.2])),
    "NumPy array": lambda: gradtx.sgd(np.array([0.1, 0.2], jnp.bfloat16)),
    "key": lambda: gradtx.add_noise(0.1, 0.5, jax.random.key(3)),
    "keys of another kind": lambda: gradtx.add_noise(0.1, 0.5, jax.random.split(jax.random.key(3, impl="rbg"))),
    "schedules": lambda: gradtx.adamw((0.5 * gradtx.noam(4, 3) + 0.1).then(0.1, at=9)),
    "chain in a chain": lambda: gradtx.chain(a=gradtx.chain(gradtx.clip(1.0), gradtx.clip(2.0)), b=gradtx.scale(3.0)),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_export_is_read_back_from_its_repr_and_from_its_configuration(name):
    tx = registry.make(name)
    for again in (parse(repr(tx)), parse(to_config(tx)), parse(json.dumps(to_config(tx), allow_nan=False))):
        assert again == tx
        assert type(again) is type(tx)


@pytest.mark.parametrize("value", VALUES)
def test_arguments_of_all_kinds_are_read_back(value):
    tx = VALUES[value]()
    assert parse(repr(tx)) == tx
    assert parse(json.dumps(to_config(tx), allow_nan=False)) == tx


@pytest.mark.parametrize("name", sorted(WITH_FUNCTIONS))
def test_a_python_function_is_refused(name):
    for read in (lambda tx: parse(repr(tx)), to_config):
        with pytest.raises(ValueError, match="a function of yours cannot be read from text"):
            read(registry.make(name))


def test_what_has_no_name_in_python_is_refused():
    foreign = (lambda params: (), lambda updates, state, params: (updates, state))
    for tx in (gradtx.stateless(lambda u, p: u), gradtx.chain(gradtx.clip(1.0), foreign)):
        with pytest.raises(ValueError, match=r"at line 1, column \d+: invalid syntax. A function"):
            parse(repr(tx))
    with pytest.raises(ValueError, match=r"to_config: sgd cannot be written: .* a number that is traced"):
        jax.jit(lambda rate: to_config(gradtx.sgd(rate)))(0.1)


def test_a_factory_of_the_same_name_is_not_taken_for_the_one_of_gradtx():
    @gradtx.transformation
    def clip(max_delta: gradtx.Finite):
        return gradtx.scale(max_delta)

    with pytest.raises(ValueError, match=re.escape("it would be read back as clip(max_delta=1.0)")):
        to_config(clip(1.0))


@pytest.mark.parametrize(
    ("text", "tx"),
    [
        ("adam(1e-3)", lambda: gradtx.adam(0.001)),
        (" gradtx.adam( learning_rate = 1e-3,\n  b1=0.5)\r\n", lambda: gradtx.adam(0.001, b1=0.5)),
        ("sgd(3 * 2**-8 - 1/256 + 0)", lambda: gradtx.sgd(2 / 256)),
        ("scale(-2)", lambda: gradtx.scale(-2.0)),
        ("sgd(2 * warmup(0.5, 3))", lambda: gradtx.sgd(2 * gradtx.warmup(0.5, 3))),
        ("warmup(0.5, 3) + cosine(0.5, 9)", lambda: gradtx.warmup(0.5, 3) + gradtx.cosine(0.5, 9)),
        ("gradtx.warmup(0.5, 3).then(0.5, at=3) * 0.5", lambda: gradtx.warmup(0.5, 3).then(0.5, at=3) * 0.5),
        ("rmsprop(0.1, eps_in_sqrt=True, where=None)", lambda: gradtx.rmsprop(0.1, eps_in_sqrt=True)),
        ("stateless(global_norm)", lambda: gradtx.stateless(gradtx.global_norm)),
        ("project(gradtx.global_norm)", lambda: gradtx.project(gradtx.global_norm)),
    ],
)
def test_a_text_means_what_python_means_by_it(text, tx):
    assert parse(text) == tx()


def test_regular_expressions_dtypes_and_infinities_are_data():
    text = "freeze({'a': re.compile('a/.*', re.IGNORECASE|re.DOTALL), 'b': jnp.bfloat16})"
    assert parse(text).arguments["mask"] == {"a": re.compile("a/.*", re.IGNORECASE | re.DOTALL), "b": jnp.bfloat16}
    for infinity in ("inf", "1e999", "float('inf')", "jnp.float32(inf)"):
        with pytest.raises(ValueError, match="learning_rate = inf is out of range"):
            parse(f"sgd({infinity})")


@pytest.mark.parametrize(
    "config",
    [
        {"_target_": "gradtx.sgd", "_args_": [{"_target_": "warmup", "_args_": [0.5], "warmup_steps": 3}]},
        '  {"_target_": "sgd", "learning_rate": {"_target_": "warmup", "peak_value": "=2**-1", "warmup_steps": 3}}',
        {"_target_": "sgd", "learning_rate": "=warmup(0.5, 3)"},
    ],
)
def test_a_configuration_is_nested_calls(config):
    assert parse(config) == gradtx.sgd(gradtx.warmup(0.5, 3))


def test_a_mapping_without_a_target_stays_one_and_its_keys_may_be_texts():
    config = {
        "_target_": "piecewise_constant",
        "init_value": 0.5,
        "boundaries_and_scales": {"=0": 0.5, "=1 + 1": 0.1},
    }
    assert parse(config) == gradtx.piecewise_constant(0.5, {0: 0.5, 2: 0.1})


def test_a_configuration_holds_plain_values_only():
    assert to_config(gradtx.chain(gradtx.sgd(gradtx.join([gradtx.constant(0.5), jnp.float32(0.25)], [3])))) == {
        "_target_": "chain",
        "sgd": {
            "_target_": "sgd",
            "learning_rate": {
                "_target_": "join",
                "schedules": "=(constant(value=0.5), jnp.float32(0.25))",
                "boundaries": "=(3,)",
            },
        },
    }


@pytest.mark.parametrize(
    "attempt",
    [
        "__import__('os')",
        "__import__('os').system('true')",
        "open('x')",
        "eval('1')",
        "adam.__init__",
        "adam.__init__.__globals__",
        "adam(0.1).__class__",
        "adam(0.1).init(1)",
        "adam(0.1)._structure",
        "warmup(0.5, 3).then.__func__(1, 2)",
        "gradtx.core",
        "gradtx.core.chain(adam(0.1))",
        "gradtx.parse.ast.parse('1')",
        "jax.numpy.load('x')",
        "jnp.load('x')",
        "np.fromfile('x')",
        "re.sub('a', 'b', 'c')",
        "np.array([1], dtype='V1000000000000')",
        "np.array([1], dtype=('V', 1000000000000))",
        "apply_updates(1, 2)",
        "each(adam, 1)",
        "global_norm(1.0)",
        "transformation(adam)",
        "(lambda: 0)()",
        "sgd(lambda step: 0.1)",
        "sgd([0.1][0])",
        "sgd([x for x in (0.1,)])",
        "sgd(0.1 if True else 0.2)",
        "sgd(f'{1}')",
        "sgd(b'1')",
        "sgd(1j)",
        "sgd(...)",
        "sgd((x := 0.1))",
        "sgd({0.1})",
        "sgd(not 1)",
        "sgd(~1)",
        "sgd(1 // 1)",
        "sgd(1 | 1)",
        "sgd('a' * 1000000000)",
        "sgd([0] * 1000000000)",
        "sgd(2**2**2**9)",
        "sgd(10**-10**9)",
        "sgd(2.0**9999)",
        "sgd((-1)**0.5)",
        "sgd(1 / 0)",
        "sgd(*[0.1])",
        "sgd(**{'learning_rate': 0.1})",
        "masked(sgd(0.1), {**{}})",
        "sgd(0.1); sgd(0.1)",
        "import os",
        "sgd(0.1)\0",
        "",
        "0.1",
        "'adam'",
        "global_norm",
    ],
)
def test_nothing_else_is_called_or_reached(attempt):
    with pytest.raises(ValueError, match=r"^parse: ") as caught:
        parse(attempt)
    assert re.search(r"at (line \d+, )?column \d+|cannot be read|this makes", str(caught.value))
    with pytest.raises((ValueError, TypeError)):
        parse({"_target_": "chain", "stage": f"={attempt}"})


@pytest.mark.parametrize(
    "target", ["os.system", "builtins.eval", "eval", "core.chain", "adam.__init__", "each", "lambda: 0", "", "parse"]
)
def test_a_configuration_calls_nothing_else_either(target):
    for name in (target, f"gradtx.{target}"):
        with pytest.raises(ValueError, match=r"which (is no transformation of gradtx|can be named in text, but not)"):
            parse({"_target_": name, "_args_": ["1"]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adamm(0.1)", "parse: 'adamm' at column 1 is no transformation of gradtx. Did you mean 'adam'"),
        ("chain(\n  adam(0.1),\n  clp(1.0),\n)", "parse: 'clp' at line 3, column 3 is no transformation"),
        (
            "adam('é', learning_rat=0.1)",
            "'adam' at column 1 has no argument 'learning_rat'. Did you mean 'learning_rate'",
        ),
        ("sgd('é' + adamm())", "'adamm' at column 11 is no transformation"),
        ("warmup(0.5, 3).then(1, att=3)", "has no argument 'att'. Did you mean 'at'? It takes other, at."),
        ("sgd(0.1).then(1, at=3)", "'sgd(0.1)' at column 1 is no schedule, and nothing else has `then`."),
        ("sgd(adam)", "'adam' at column 5 is not called; write adam(...)."),
        (
            "sgd(0.1, nesterov=true)",
            "'true' at column 19 is no public name, and a function of yours",
        ),
        ("stateless(global_nrm)", "Did you mean 'global_norm'?"),
        (
            "sgd(jnp.array([1], dtype='float31'))",
            "'jnp.array' at column 5 raises ValueError: dtype = 'float31' is",
        ),
        ("sgd(re.compile('('))", "'re.compile' at column 5 raises"),
        ("sgd(0.1, nesterov=1, nesterov=2)", "gives an argument twice"),
        ("masked(sgd(0.1), {'a': 1, 'a': 2})", """"{'a': 1, 'a': 2}" at column 18 has one key twice."""),
        ("masked(sgd(0.1), {[]: 1})", "is no dict: unhashable type"),
        ("sgd(0.1", "parse: the text cannot be read at line 1, column 4: '(' was never closed."),
        ("{'_target_': 'adam'}", "parse: the text begins like JSON, but is none"),
        ("sgd({" + "1, " * 50 + "})", "'{" + "1, " * 25 + "1...' at column 5 is neither a call"),
    ],
)
def test_an_error_shows_the_place_and_what_may_be_meant(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(text)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"_target_": "adamm"},
            "parse: config has the target 'adamm', which is no transformation of gradtx. Did",
        ),
        (
            {"_target_": "chain", "a": {"_target_": "sgd", "rate": 0.1}},
            "parse: config['a'] has the target 'sgd', which has no argument 'rate'.",
        ),
        ({"_target_": "sgd", "_args_": ["=1 +"]}, "parse: the text of config['_args_'][0] cannot be read at line 1"),
        ({"_target_": "sgd", "_args_": ["=x"]}, "parse: 'x' at column 1 of config['_args_'][0] is no public name"),
        ({"_target_": "sgd", "_args_": 0.1}, "parse: config is no call; expected the name of a factory as '_target_'"),
        ({"_target_": {"_target_": "sgd"}}, "parse: config is no call"),
        ({"learning_rate": 0.1}, "parse: this makes dict, not a transformation"),
        ({"_target_": "freeze", "mask": {"=[]": True}}, "parse: config['mask'] is no dict: unhashable type"),
        (
            {"_target_": "freeze", "mask": {"=y": True}},
            "'y' at column 1 of the key '=y' of config['mask'] is no",
        ),
    ],
)
def test_an_error_in_a_configuration_shows_its_path(config, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(config)


def test_what_a_factory_refuses_is_its_own_error():
    with pytest.raises(ValueError, match=r"learning_rate = -1\.0 is out of range"):
        parse("adam(-1.0)")
    with pytest.raises(TypeError, match="adam: missing a required argument: 'learning_rate'"):
        parse({"_target_": "adam"})
    with pytest.raises(TypeError, match="expected a text or a mapping, but this is GradientTransformation"):
        parse(gradtx.adam(0.1))


def test_a_chain_may_be_nested_as_deep_as_it_says_and_no_deeper():
    def nested(depth):
        tx = gradtx.clip(1.0)
        for _ in range(depth):
            tx = gradtx.chain(tx)
        return tx

    deep = nested(DEEPEST - 1)
    assert parse(repr(deep)) == parse(to_config(deep)) == deep
    for depth in (DEEPEST, 250):
        for read in (lambda tx: parse(repr(tx)), to_config):
            with pytest.raises(ValueError, match="nested"):
                read(nested(depth))


@pytest.mark.parametrize("part", ["chain(a=", "[", "-", "1+", "not ", "x.", "2**", "lambda:", "(", "{'_target_':"])
@pytest.mark.parametrize("depth", [150, 5_000, 20_000])
def test_deep_and_long_texts_are_refused_in_time(part, depth):
    for text in (part * depth + "1", part * depth + "1" + {"(": ")", "[": "]"}.get(part[-1], "") * depth):
        with pytest.raises(ValueError, match=r"^parse: "):
            parse(text)


def test_a_text_that_is_too_long_is_refused():
    assert len(parse(f"scale(jnp.array([{'1, ' * 10_000}]))").arguments["step_size"]) == 10_000
    with pytest.raises(ValueError, match=f"has {LONGEST + 13} characters; expected at most {LONGEST}"):
        parse("stateless('" + "a" * LONGEST + "')")
    with pytest.raises(ValueError, match="nested too deeply"):
        config = 1.0
        for _ in range(5_000):
            config = [config]
        parse({"_target_": "scale", "_args_": config})
