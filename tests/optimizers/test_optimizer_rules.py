"""Each rule in float64 against NumPy written from its formula, and in float32 against Keras, 20 steps."""

from __future__ import annotations

import chainer
import keras
import numpy as np
import optimizer_rules as rules
import pytest

from kchainer import optimizers

SHAPES = {"kernel": (4, 3), "tall": (3, 5), "bias": (5,), "conv": (3, 2, 4, 3)}
STEPS = 20
# class -> rule and argument sets; every option of a rule is on in one of them
CASES = {
    "SGD": (rules.sgd, {}, {"momentum": 0.9}, {"momentum": 0.8, "nesterov": True}),
    "Lion": (rules.lion, {}, {"beta_1": 0.7, "beta_2": 0.8}),
    "RMSprop": (
        rules.rmsprop,
        {},
        {"rho": 0.7, "momentum": 0.5},
        {"centered": True, "epsilon": 1e-3},
        {"momentum": 0.6, "centered": True, "epsilon": 1e-2},
        {"eps_inside_sqrt": False, "epsilon": 1e-2},
    ),
    "Adagrad": (
        rules.adagrad,
        {},
        {"initial_accumulator_value": 0.0, "epsilon": 1e-3},
        {"eps_inside_sqrt": False, "epsilon": 1e-2},
    ),
    "Adadelta": (rules.adadelta, {}, {"rho": 0.8, "epsilon": 1e-3}),
    "Adam": (
        rules.adam,
        {},
        {"beta_1": 0.7, "beta_2": 0.8, "epsilon": 1e-2},
        {"amsgrad": True, "beta_2": 0.5},
        {"adaptive_epsilon": True, "epsilon": 1e-1},
    ),
    "Adamax": (rules.adamax, {}, {"beta_1": 0.7, "beta_2": 0.8, "epsilon": 1e-2}),
    "Nadam": (
        rules.nadam,
        {},
        {"beta_1": 0.7, "beta_2": 0.8, "epsilon": 1e-2},
        {"schedule_decay": 0.004},
    ),
    "Lamb": (rules.lamb, {}, {"beta_1": 0.7, "beta_2": 0.8, "epsilon": 1e-2}),
    "Ftrl": (
        rules.ftrl,
        {},
        {
            "learning_rate_power": -0.6,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.02,
            "l2_shrinkage_regularization_strength": 0.03,
            "beta": 0.1,
        },
    ),
    "Adafactor": (
        rules.adafactor,
        {},
        {"beta_2_decay": -0.5, "epsilon_1": 1e-3, "epsilon_2": 1e-1, "clip_threshold": 0.4},
    ),
    "Muon": (
        rules.muon,
        {"weight_decay": None, "adam_weight_decay": None},
        {
            "weight_decay": None,
            "adam_weight_decay": None,
            "momentum": 0.8,
            "nesterov": False,
            "rms_rate": None,
            "ns_steps": 3,
        },
    ),
    "ScheduleFreeAdamW": (
        rules.schedule_free_adamw,
        {},
        {"beta_1": 0.7, "warmup_steps": 7, "epsilon": 1e-3},
    ),
}
OLD = ("eps_inside_sqrt", "schedule_decay", "adaptive_epsilon")  # what Keras 3.15 has no argument for
PAIRS = [
    pytest.param(name, hyper, id=f"{name}-{i}")
    for name, (_, *sets) in CASES.items()
    for i, hyper in enumerate(sets)
]
OPTIONS = {
    "clipnorm": {"clipnorm": 0.3},
    "global_clipnorm": {"global_clipnorm": 0.4},
    "clipvalue": {"clipvalue": 0.05},
    "weight_decay": {"weight_decay": 0.1},
    "ema": {"use_ema": True, "ema_momentum": 0.7},
    "ema_overwrite": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    "accumulation": {"gradient_accumulation_steps": 3},
    "accumulation_ema": {
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_overwrite_frequency": 2,
        "clipnorm": 0.2,
    },
    "loss_scale_factor": {"loss_scale_factor": 8.0},
}


def start(dtype):
    rng = np.random.default_rng(3)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in SHAPES.items()}


def gradients(step, dtype):
    rng = np.random.default_rng(100 + step)
    return {name: rng.normal(size=shape).astype(dtype) * 0.3 for name, shape in SHAPES.items()}


def link_of(weights):
    link = chainer.Link()
    with link.init_scope():
        for name, w in weights.items():
            setattr(link, name, chainer.Parameter(w.copy()))
    return link


def step(optimizer, link, grads, scale=1.0):
    for name, g in grads.items():
        getattr(link, name).grad = g * g.dtype.type(scale)
    optimizer.update()


def assert_as_keras(link, variables, first, name=""):
    """1e-4 of each tensor's scale, and 2e-3 of how far it moved."""
    for key, variable in variables.items():
        got, wanted = getattr(link, key).array, keras.ops.convert_to_numpy(variable)
        error = np.abs(got - wanted).max()
        assert error <= 1e-4 * np.abs(wanted).max(), (name, key, error)
        assert error <= 2e-3 * np.abs(wanted - first[key]).max(), (name, key, error)


@pytest.mark.parametrize(("name", "hyper"), PAIRS)
def test_rule_in_float64_agrees_with_numpy(name, hyper):
    rule = CASES[name][0]
    weights, state = start("float64"), {key: {} for key in SHAPES}
    link = link_of(weights)
    optimizer = getattr(optimizers, name)(0.05, **hyper).setup(link)
    arguments = {k: v for k, v in hyper.items() if "weight_decay" not in k}
    for t in range(1, STEPS + 1):
        grads = gradients(t, "float64")
        step(optimizer, link, {k: g.copy() for k, g in grads.items()})
        for key, g in grads.items():
            weights[key] = rule(weights[key], g, state[key], t, 0.05, **arguments)
            np.testing.assert_allclose(getattr(link, key).array, weights[key], rtol=1e-12, atol=1e-12)


def keras_run(name, hyper, rate=0.05, steps=STEPS):
    """Both optimizers over the same gradients."""
    first = start("float32")
    variables = {key: keras.Variable(w, name=key) for key, w in first.items()}
    theirs = getattr(keras.optimizers, name)(rate, **hyper)
    theirs.build(list(variables.values()))
    link = link_of(first)
    ours = getattr(optimizers, name)(rate if isinstance(rate, float) else ours_of(rate), **hyper).setup(link)
    scale = hyper.get("loss_scale_factor") or 1.0
    for t in range(1, steps + 1):
        grads = gradients(t, "float32")
        scaled = [keras.ops.convert_to_tensor(g * np.float32(scale)) for g in grads.values()]
        theirs.apply(scaled, list(variables.values()))
        for p in link.params():
            p._loss_scale = hyper.get("loss_scale_factor")
        step(ours, link, grads, scale)
        assert_as_keras(link, variables, first, f"step {t}")
    return ours, theirs, link, variables, first


def ours_of(schedule):
    config = {k: v for k, v in schedule.get_config().items() if k != "name"}
    return getattr(optimizers, type(schedule).__name__)(**config)


# ScheduleFreeAdamW is not among them: Keras on PyTorch changes the old z in place before it uses it.
IN_KERAS = [p for p in PAIRS if not set(p.values[1]) & set(OLD) and p.values[0] != "ScheduleFreeAdamW"]


@pytest.mark.parametrize(("name", "hyper"), IN_KERAS)
def test_rule_agrees_with_keras(name, hyper):
    keras_run(name, hyper)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", [*(n for n in CASES if n != "ScheduleFreeAdamW"), "AdamW"])
def test_options_agree_with_keras(name, option):
    # at 0.05 Adadelta moves by less than float32 resolves at the weights' size
    run = keras_run(name, OPTIONS[option], rate=1.0 if name == "Adadelta" else 0.05)
    ours, theirs, link, variables, first = run
    if "use_ema" in OPTIONS[option]:
        theirs.finalize_variable_values(list(variables.values()))
        ours.finalize()
        assert_as_keras(link, variables, first, "after finalize")


def test_schedules_as_rates_agree_with_keras():
    s = keras.optimizers.schedules
    for rate in (
        s.ExponentialDecay(0.1, 4, 0.5, staircase=True),
        s.PiecewiseConstantDecay([5, 12], [0.1, 0.03, 0.01]),
        s.CosineDecay(0.01, 10, warmup_target=0.1, warmup_steps=5),
    ):
        for name in ("SGD", "Adam", "Adafactor", "Muon"):
            keras_run(name, {"gradient_accumulation_steps": 2}, rate=rate)


def test_options_of_keras_2_follow_each_other():
    """Clipping by the norm of all, then by value; decay of the rate; weight decay by the decayed rate."""
    weights = start("float64")
    link = link_of(weights)
    options = {"global_clipnorm": 0.5, "clipvalue": 0.05, "decay": 0.1, "weight_decay": 0.2}
    optimizer = optimizers.SGD(0.1, momentum=0.9, **options).setup(link)
    state = {key: {} for key in SHAPES}
    for t in range(1, 8):
        grads = gradients(t, "float64")
        step(optimizer, link, {k: g.copy() for k, g in grads.items()})
        norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
        lr = 0.1 / (1 + 0.1 * (t - 1))
        for key, g in grads.items():
            clipped = np.clip(g * min(1, 0.5 / norm), -0.05, 0.05)
            w = weights[key] * (1 - 0.2 * lr)
            weights[key] = rules.sgd(w, clipped, state[key], t, lr, 0.9)
            np.testing.assert_allclose(getattr(link, key).array, weights[key], rtol=1e-12, atol=1e-12)


def test_eve_agrees_with_numpy():
    weights, state = start("float64"), {key: {} for key in SHAPES}
    link = link_of(weights)
    optimizer = optimizers.Eve(0.05, beta_3=0.9).setup(link)
    for t, f in enumerate((3.0, 2.9, 2.0, 50.0, 1.0, 1.1, 0.01, 0.5), 1):
        grads = gradients(t, "float64")
        optimizer.objective_value = f
        step(optimizer, link, {k: g.copy() for k, g in grads.items()})
        for key, g in grads.items():
            weights[key] = rules.eve(weights[key], g, state[key], t, 0.05, f, beta_3=0.9)
            np.testing.assert_allclose(getattr(link, key).array, weights[key], rtol=1e-12, atol=1e-12)
    with pytest.raises(RuntimeError, match="needs the loss"):
        optimizer.update()


def test_loss_scale_agrees_with_keras():
    """Scaled gradients, among them some that are not finite: scale, count of steps and weights."""
    first = start("float32")
    variables = {key: keras.Variable(w, name=key) for key, w in first.items()}
    theirs = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.05), 64.0, dynamic_growth_steps=3)
    theirs.build(list(variables.values()))
    link = link_of(first)
    ours = optimizers.LossScale(optimizers.Adam(0.05), 64.0, dynamic_growth_steps=3).setup(link)
    for t in range(1, STEPS + 1):
        grads = gradients(t, "float32")
        scale = np.float32(ours.scale)
        if t in (2, 9):
            grads["bias"][1] = np.nan
        theirs.apply(
            [keras.ops.convert_to_tensor(g * scale) for g in grads.values()], list(variables.values())
        )
        step(ours, link, grads, scale)
        assert ours.scale == float(theirs.dynamic_scale)
        assert ours.inner.t == int(theirs.iterations)
        assert_as_keras(link, variables, first, f"step {t}")


FLAT = [n for n in (*CASES, "AdamW") if n not in ("ScheduleFreeAdamW", "Adafactor", "Muon")]


@pytest.mark.parametrize("name", FLAT)
def test_training_goes_on_from_the_state_of_keras(name):
    """Ten steps in Keras and ten here from its optimizer's variables, against twenty in Keras."""
    rate = 1.0 if name == "Adadelta" else 0.05
    options = {"use_ema": True, "ema_overwrite_frequency": 4, "weight_decay": 0.1}
    first = start("float32")
    variables = {key: keras.Variable(w, name=key) for key, w in first.items()}
    theirs = getattr(keras.optimizers, name)(rate, **options)
    theirs.build(list(variables.values()))

    def steps_of_keras(begin, end):
        for t in range(begin, end):
            grads = [keras.ops.convert_to_tensor(g) for g in gradients(t, "float32").values()]
            theirs.apply(grads, list(variables.values()))

    steps_of_keras(1, 11)
    link = link_of({key: keras.ops.convert_to_numpy(v).copy() for key, v in variables.items()})
    ours = getattr(optimizers, name)(rate, **options).setup(link)
    kept = {v.name: keras.ops.convert_to_numpy(v) for v in theirs.variables}
    state = {
        f"/{key}": {slot: kept[f"{key}_{slot}"] for slot in (*ours.slots, "average")} for key in variables
    }
    assert len(kept) >= 2 + sum(map(len, state.values()))
    ours.load_state(state, int(theirs.iterations))
    if name == "Nadam":
        ours.u_product = float(theirs._u_product)
    steps_of_keras(11, 21)
    for t in range(11, 21):
        step(ours, link, gradients(t, "float32"))
    assert_as_keras(link, variables, first)
