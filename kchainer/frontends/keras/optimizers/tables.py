"""What each release writes of its optimizers and means by it.

Three eras differ in rules: "classic" is Keras up to 2.3, "legacy" is tf.keras up to 2.10 and ``optimizers.legacy``
after it, "new" is tf.keras since 2.11 and Keras 3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from kchainer.frontends.fields import (
    Config,
    Field,
    Since,
    Wrong,
    boolean,
    ignored,
    members,
    natural,
    number,
    optional,
    read,
    text,
    tuple_of,
)
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.unsupported import OTHERS
from kchainer.ir import optimizers as ir
from kchainer.ir.patterns import refusal

Json = dict[str, Any]
ERA = {
    "keras": Since({"0.3": "classic", "3.0": "new"}),
    "tf_keras": Since({"1.13": "legacy", "2.11": "new"}),
}


def era_of(dialect: Dialect) -> str:
    """The era of a dialect."""
    era: str = ERA[dialect.flavour].at(dialect)
    return era


def by_era(classic: Any, legacy: Any, new: Any) -> Callable[[Any], Any]:
    """A default that depends on the era; each may be a ``Since``."""
    values = {"classic": classic, "legacy": legacy, "new": new}

    def at(dialect: Dialect) -> Any:
        value = values[era_of(dialect)]
        return value.at(dialect) if isinstance(value, Since) else value

    return at


# ------------------------------------------------------------------ types of values


def loose(v: Any) -> float:
    """A number, also as a list of one: old releases wrote both."""
    return number(v[0] if isinstance(v, (list, tuple)) and len(v) == 1 else v)


def above(v: Any) -> float | None:
    """A bound; Keras takes 0 and less as none."""
    if v is None:
        return None
    return loose(v) if loose(v) > 0 else None


def epsilon(v: Any) -> float:
    """A number; null is Keras's general one."""
    return 1e-7 if v is None else loose(v)


def learning_rate(v: Any) -> float | ir.Schedule:
    """A number or a schedule."""
    return schedule(v) if isinstance(v, dict) else loose(v)


def flag(v: Any) -> bool:
    """True, false, or null for false."""
    return False if v is None else boolean(v)


def only_none(v: Any) -> None:
    """A key that asks for something else when it is set."""
    if v not in (None, 0, 0.0, False):
        raise Wrong("only null", code="KC204")


# ------------------------------------------------------------------ schedules

FIRST = {
    "initial_learning_rate": Field(type=loose),
    "name": Field(type=ignored, default=None, why="a name for logs"),
}
DECAY = {
    **FIRST,
    "decay_steps": Field(type=loose),
    "decay_rate": Field(type=loose),
    "staircase": Field(type=flag, default=False),
}
SCHEDULES: dict[str, tuple[dict[str, Field], Any]] = {
    "ExponentialDecay": (DECAY, ir.ExponentialDecay),
    "InverseTimeDecay": (DECAY, ir.InverseTimeDecay),
    "PiecewiseConstantDecay": (
        {
            "boundaries": Field(type=tuple_of(loose)),
            "values": Field(type=tuple_of(loose)),
            "name": FIRST["name"],
        },
        ir.PiecewiseConstantDecay,
    ),
    "PolynomialDecay": (
        {
            **FIRST,
            "decay_steps": Field(type=loose),
            "end_learning_rate": Field(type=loose, default=1e-4),
            "power": Field(type=loose, default=1.0),
            "cycle": Field(type=flag, default=False),
        },
        ir.PolynomialDecay,
    ),
    "CosineDecay": (
        {
            **FIRST,
            "decay_steps": Field(type=loose),
            "alpha": Field(type=loose, default=0.0),
            "warmup_target": Field(type=optional(loose), default=None),
            "warmup_steps": Field(type=loose, default=0),
        },
        ir.CosineDecay,
    ),
    "CosineDecayRestarts": (
        {
            **FIRST,
            "first_decay_steps": Field(type=loose),
            "t_mul": Field(type=loose, default=2.0),
            "m_mul": Field(type=loose, default=1.0),
            "alpha": Field(type=loose, default=0.0),
        },
        ir.CosineDecayRestarts,
    ),
    "LinearCosineDecay": (
        {
            **FIRST,
            "decay_steps": Field(type=loose),
            "num_periods": Field(type=loose, default=0.5),
            "alpha": Field(type=loose, default=0.0),
            "beta": Field(type=loose, default=0.001),
        },
        ir.LinearCosineDecay,
    ),
}


def schedule(v: Json) -> ir.Schedule:
    """A nested schedule, its class beside its config. Raises Wrong."""
    name = str(v.get("class_name", "")).rpartition(">")[2]
    if name not in SCHEDULES:
        raise Wrong("one of " + ", ".join(SCHEDULES), code="KC204", hint=OTHERS["schedule"].get(name))
    fields, made = SCHEDULES[name]
    config, faults = read(fields, members(v.get("config")), Dialect((3,)), base=frozenset())
    if faults:
        raise Wrong(f"{name}: {faults[0].message}", code=faults[0].code, hint=faults[0].hint)
    result: ir.Schedule = made(**{key: getattr(config, key) for key in fields if key != "name"})
    return result


# ------------------------------------------------------------------ optimizers

# What all of them write, in some release; the eras' clipping differs, see ``common``.
COMMON = {
    "clipnorm": Field(type=above, default=None),
    "global_clipnorm": Field(type=above, default=None),
    "clipvalue": Field(type=above, default=None),
    "weight_decay": Field(type=optional(loose), default=None),
    "decay": Field(type=loose, default=0.0),
    "use_ema": Field(type=flag, default=False),
    "ema_momentum": Field(type=loose, default=0.99),
    "ema_overwrite_frequency": Field(type=optional(natural), default=None),
    "loss_scale_factor": Field(type=optional(loose), default=None),
    "gradient_accumulation_steps": Field(type=optional(natural), default=None),
    "name": Field(type=ignored, default=None, why="a name for logs"),
    "jit_compile": Field(type=ignored, default=None, why="whether XLA compiles it"),
    "is_legacy_optimizer": Field(
        type=ignored, default=None, why="which of two classes of one name, read before"
    ),
    "amsgrad": Field(
        type=ignored, default=None, why="taken by tf.keras 2.11 for every optimizer, of no effect but in Adam"
    ),  # tf.keras 2.11 took it for SGD too, and did nothing
}


def rate(default: Any) -> Field:
    """The learning rate, with its older name."""
    return Field(type=learning_rate, was="lr", default=default)


EPSILON = Field(type=epsilon, default=by_era(Since({"0.3": 1e-8, "2.1.3": 1e-7}), 1e-7, 1e-7))
EPSILON_OF_SQUARES = Field(
    type=epsilon, default=by_era(Since({"0.3": 1e-6, "1.0": 1e-8, "2.1.3": 1e-7}), 1e-7, 1e-7)
)
BETAS = {
    "beta_1": Field(type=loose, default=0.9),
    "beta_2": Field(type=loose, default=0.999),
    "epsilon": EPSILON,
}
MUON_SINCE_315 = "rms_rate"  # the key that tells the newer rule


def common(c: Config, dialect: Dialect) -> Json:
    """The attributes that all share."""
    names = [n for n in COMMON if n not in ("name", "jit_compile", "is_legacy_optimizer", "amsgrad")]
    out: Json = {n: getattr(c, n) for n in names} | {"learning_rate": c.learning_rate}
    if era_of(dialect) == "classic":  # its clipnorm is the norm of all gradients
        out |= {"clipnorm": None, "global_clipnorm": c.clipnorm}
    if era_of(dialect) == "new":
        out["decay"] = 0.0  # Keras 3 ignores it, tf.keras refuses to write it
    out["ema_from_start"] = dialect.flavour == "tf_keras"
    if not out["ema_overwrite_frequency"]:
        out["ema_overwrite_frequency"] = None
    return out


Maker = Callable[[Config, Dialect], ir.Optimizer]


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """How one optimizer class is read."""

    fields: Mapping[str, Field]
    make: Maker


OPTIMIZERS: dict[str, Entry] = {}


def plain(cls: Any, *names: str) -> Maker:
    """Attributes that mean the same in all releases."""
    return lambda c, dialect: cls(**common(c, dialect), **{n: getattr(c, n) for n in names})


def enter(name: str, default: Any, fields: Mapping[str, Field], make: Maker) -> None:
    """Add a class."""
    OPTIMIZERS[name] = Entry({**COMMON, "learning_rate": rate(default), **fields}, make)


def rmsprop(c: Config, dialect: Dialect) -> ir.Optimizer:
    """tf.keras's older one uses a fused kernel with momentum, which has epsilon inside the root."""
    inside = {"classic": False, "legacy": c.momentum > 0, "new": True}[era_of(dialect)]
    return ir.RMSprop(
        **common(c, dialect),
        rho=c.rho,
        momentum=c.momentum,
        epsilon=c.epsilon,
        centered=c.centered,
        eps_inside_sqrt=inside,
    )


def adagrad(c: Config, dialect: Dialect) -> ir.Optimizer:
    """Epsilon inside the root since tf.keras 2.11."""
    return ir.Adagrad(
        **common(c, dialect),
        initial_accumulator_value=c.initial_accumulator_value,
        epsilon=c.epsilon,
        eps_inside_sqrt=era_of(dialect) == "new",
    )


def nadam(c: Config, dialect: Dialect) -> ir.Optimizer:
    """tf.keras up to 2.10 keeps its schedule_decay under ``decay``."""
    shared = common(c, dialect)
    scale = {
        "classic": c.schedule_decay,
        "legacy": c.decay if c.has("decay") else c.schedule_decay,
        "new": 1.0,
    }
    return ir.Nadam(
        **shared | {"decay": 0.0},
        beta_1=c.beta_1,
        beta_2=c.beta_2,
        epsilon=c.epsilon,
        schedule_decay=scale[era_of(dialect)],
        product_per_variable=dialect.flavour == "tf_keras" and era_of(dialect) == "new",
    )


def regular(v: Any) -> str:
    """A pattern of names. Raises Wrong."""
    if why := refusal(text(v)):
        raise Wrong(f"a regular expression that is supported: {why}", code="KC204")
    return text(v)


MUON = {
    "adam_beta_1": Field(type=loose, default=0.9),
    "adam_beta_2": Field(type=loose, default=0.999),
    "adam_weight_decay": Field(type=optional(loose), default=0.004),
    "epsilon": Field(type=epsilon, default=1e-7),
    "weight_decay": Field(type=optional(loose), default=Since({"3.0": 0.1, "3.13": 0.004})),
    "exclude_layers": Field(type=optional(tuple_of(regular)), default=None),
    "exclude_embeddings": Field(type=flag, default=True),
    "muon_a": Field(type=loose, default=3.4445),
    "muon_b": Field(type=loose, default=-4.775),
    "muon_c": Field(type=loose, default=2.0315),
    "adam_lr_ratio": Field(type=loose, default=Since({"3.0": 0.1, "3.13": 1.0})),
    "momentum": Field(type=loose, default=0.95),
    "ns_steps": Field(type=natural, default=Since({"3.0": 6, "3.13": 5})),
    "nesterov": Field(type=flag, default=True),
    "rms_rate": Field(type=optional(loose), default=0.2),
}


def muon(c: Config, dialect: Dialect) -> ir.Optimizer:
    """Up to 3.12 one weight decay for all, matrices of two and three axes, and another scale."""
    is_new = c.has(MUON_SINCE_315) or Since({"3.0": False, "3.13": True}).at(dialect)
    same = {n: getattr(c, n) for n in MUON if n not in ("weight_decay", "exclude_layers")}
    made = ir.Muon(
        **common(c, dialect),
        **same,
        exclude_layers=c.exclude_layers or (),
        ratio_scale=False,
        ranks=(2,),
    )
    if is_new:
        return made
    return dataclasses.replace(
        made, adam_weight_decay=c.weight_decay, rms_rate=None, ratio_scale=True, ranks=(2, 3)
    )


enter(
    "SGD",
    0.01,
    {"momentum": Field(type=loose, default=0.0), "nesterov": Field(type=flag, default=False)},
    plain(ir.SGD, "momentum", "nesterov"),
)
enter(
    "RMSprop",
    0.001,
    {
        "rho": Field(type=loose, default=0.9),
        "momentum": Field(type=loose, default=0.0),
        "epsilon": EPSILON_OF_SQUARES,
        "centered": Field(type=flag, default=False),
    },
    rmsprop,
)
enter(
    "Adagrad",
    by_era(0.01, 0.001, 0.001),
    {
        "initial_accumulator_value": Field(type=loose, default=by_era(0.0, 0.1, 0.1)),
        "epsilon": EPSILON_OF_SQUARES,
    },
    adagrad,
)
enter(
    "Adadelta",
    by_era(1.0, 0.001, 0.001),
    {"rho": Field(type=loose, default=0.95), "epsilon": EPSILON_OF_SQUARES},
    plain(ir.Adadelta, "rho", "epsilon"),
)
ADAM = {
    **BETAS,
    "amsgrad": Field(type=flag, default=False),
    "adaptive_epsilon": Field(type=flag, default=False),
}
enter("Adam", 0.001, ADAM, plain(ir.Adam, *ADAM))
enter("NonFusedAdam", 0.001, ADAM, plain(ir.Adam, *ADAM))
enter(
    "AdamW",
    0.001,
    {**ADAM, "weight_decay": Field(type=optional(loose), default=0.004)},
    plain(ir.Adam, *ADAM),
)
enter("Adamax", by_era(0.002, 0.001, 0.001), BETAS, plain(ir.Adamax, *BETAS))
enter(
    "Nadam",
    by_era(0.002, 0.001, 0.001),
    {**BETAS, "schedule_decay": Field(type=loose, default=0.004)},
    nadam,
)
enter("Lamb", 0.001, BETAS, plain(ir.Lamb, *BETAS))
enter(
    "Lion",
    0.001,
    {"beta_1": BETAS["beta_1"], "beta_2": Field(type=loose, default=0.99)},
    plain(ir.Lion, "beta_1", "beta_2"),
)
FTRL = {
    "learning_rate_power": Field(type=loose, default=-0.5),
    "initial_accumulator_value": Field(type=loose, default=0.1),
    "l1_regularization_strength": Field(type=loose, default=0.0),
    "l2_regularization_strength": Field(type=loose, default=0.0),
    "l2_shrinkage_regularization_strength": Field(type=loose, default=0.0),
    "beta": Field(type=loose, default=0.0),
}
enter("Ftrl", 0.001, FTRL, plain(ir.Ftrl, *FTRL))
ADAFACTOR = {
    "beta_2_decay": Field(type=loose, default=-0.8),
    "epsilon_1": Field(type=loose, default=1e-30),
    "epsilon_2": Field(type=loose, default=1e-3),
    "clip_threshold": Field(type=loose, default=1.0),
}
# The rate is at most 1 / sqrt(t) with and without relative_step.
enter(
    "Adafactor",
    0.001,
    {
        **ADAFACTOR,
        "relative_step": Field(
            type=ignored,
            default=None,
            why="the rate is at most 1 / sqrt(t) with and without it, in Keras too",
        ),
    },
    plain(ir.Adafactor, *ADAFACTOR),
)
enter("Muon", 0.001, MUON, muon)
SCHEDULE_FREE = {
    "beta_1": BETAS["beta_1"],
    "beta_2": BETAS["beta_2"],
    "epsilon": Field(type=epsilon, default=1e-8),
    "warmup_steps": Field(type=natural, default=0),
}
enter("ScheduleFreeAdamW", 0.0025, SCHEDULE_FREE, plain(ir.ScheduleFreeAdamW, *SCHEDULE_FREE))
