"""From an optimizer as a file has it to the IR."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from kchainer.diagnostics import suggestion
from kchainer.frontends.fields import Fault, Field, Wrong, anything, ignored, members, read
from kchainer.frontends.keras.dialect import Dialect
from kchainer.frontends.keras.optimizers.tables import OPTIMIZERS, era_of, loose
from kchainer.frontends.keras.unsupported import OTHERS
from kchainer.ir import optimizers as ir
from kchainer.ir.patterns import MANY, refusal
from kchainer.ir.training import Owner, has_too_many_patterns

Json = dict[str, Any]
Read = tuple[ir.Optimizer | None, list[Fault]]
LOWER = {name.lower(): name for name in OPTIMIZERS}


def parts_of(raw: Any) -> tuple[str, Json, str]:
    """Class, config and module of a string, a Keras 0.3 dictionary, or a class with a config. Raises Wrong."""
    if isinstance(raw, str):
        return raw, {}, ""
    if "class_name" in raw:
        name = str(raw["class_name"]).rpartition(">")[2]
        return name, members(raw.get("config")), str(raw.get("module") or "")
    config = dict(raw)
    return str(config.pop("name", "")), config, ""


def meant(config: Json, module: str, dialect: Dialect) -> Dialect:
    """The dialect of one optimizer: files of tf.keras 2.11 and later may hold the older kind."""
    is_old = module.endswith("optimizers.legacy") or config.get("is_legacy_optimizer") is True
    # only the older kind writes `decay`; Keras 3 ignores it
    if dialect.flavour == "tf_keras" and (is_old or "decay" in config):
        return dataclasses.replace(dialect, release=min(dialect.release, (2, 10)))
    return dialect


def is_legacy(raw: Any, dialect: Dialect) -> bool:
    """Whether an optimizer, or the one in it, is of tf.keras's older kind."""
    name, config, module = parts_of(raw)
    if name.startswith("LossScaleOptimizer"):
        return is_legacy(config["inner_optimizer"], dialect)
    return era_of(meant(config, module, dialect)) == "legacy"


def optimizer_of(raw: Any, dialect: Dialect, at: str = "") -> Read:
    """An optimizer, or what is wrong with it; ``key`` of a fault is a pointer below ``at``."""
    if not isinstance(raw, (str, dict)):
        return None, [Fault("KC104", at, "an optimizer has a wrong type", expected="a name or an object")]
    try:
        name, config, module = parts_of(raw)
    except Wrong as wrong:
        return None, [Fault("KC104", f"{at}/config", "has a wrong type", expected=wrong.expected)]
    if name in ("LossScaleOptimizer", "LossScaleOptimizerV1", "LossScaleOptimizerV3"):
        return _loss_scale(config, dialect, at)
    known = name if name in OPTIMIZERS else LOWER.get(name.lower())
    if known is None:
        hint = OTHERS["optimizer"].get(name) or suggestion(name, OPTIMIZERS)
        return None, [Fault("KC201", at, f"optimizer `{name}` is not supported", hint=hint)]
    entry, one = OPTIMIZERS[known], meant(config, module, dialect)
    values, faults = read(entry.fields, config, one, base=frozenset())
    if faults:
        below = f"{at}/config" if isinstance(raw, dict) and "config" in raw else at
        return None, [dataclasses.replace(f, key=f"{below}/{f.key}".rstrip("/")) for f in faults]
    return entry.make(values, one), []


LOSS_SCALE = {
    "inner_optimizer": Field(type=anything),
    "dynamic": Field(type=anything, default=True),
    "initial_scale": Field(type=lambda v: 2.0**15 if v is None else loose(v), default=None),
    "dynamic_growth_steps": Field(type=lambda v: 2000 if v is None else int(loose(v)), default=None),
    **{
        name: Field(type=ignored, default=None, why="the inner optimizer has its own")
        for name in (
            "name",
            "weight_decay",
            "clipnorm",
            "global_clipnorm",
            "clipvalue",
            "use_ema",
            "ema_momentum",
            "ema_overwrite_frequency",
            "loss_scale_factor",
            "gradient_accumulation_steps",
        )
    },
}


def _loss_scale(config: Json, dialect: Dialect, at: str) -> Read:
    c, faults = read(LOSS_SCALE, config, dialect, base=frozenset())
    if faults:
        return None, [dataclasses.replace(f, key=f"{at}/config/{f.key}".rstrip("/")) for f in faults]
    inner, faults = optimizer_of(c.inner_optimizer, dialect, f"{at}/config/inner_optimizer")
    if not isinstance(inner, ir.Stepper):
        return None, faults or [Fault("KC201", at, "a LossScaleOptimizer in another is not supported")]
    if c.dynamic is False:  # tf.keras: a factor that stays
        return dataclasses.replace(inner, loss_scale_factor=c.initial_scale), []
    made = ir.LossScale(
        inner=dataclasses.replace(inner, loss_scale_factor=None),
        initial_scale=c.initial_scale,
        dynamic_growth_steps=c.dynamic_growth_steps,
    )
    return made, []


def owners_of(raw: Any, dialect: Dialect, at: str = "") -> tuple[tuple[Owner, ...], list[Fault]]:
    """One optimizer that owns all, or those of a MultiOptimizer with their patterns, the default last."""
    if isinstance(raw, dict) and raw.get("class_name") == "MultiOptimizer":
        return _several(raw, dialect, at)
    one, faults = optimizer_of(raw, dialect, at)
    owners = (_owner(one, ()),) if one is not None else ()
    return owners, [*faults, *_too_many(owners, at)]


def _too_many(owners: Sequence[Owner], at: str) -> list[Fault]:
    wrong = Fault(
        "KC204", at, f"more than {MANY} patterns of names that are no plain names are not supported"
    )
    return [wrong] if has_too_many_patterns(owners) else []


def _owner(optimizer: ir.Optimizer, params: tuple[str, ...]) -> Owner:
    return Owner(optimizer=optimizer, networks=(), params=params, no_weight_decay=())


def _several(raw: Json, dialect: Dialect, at: str) -> tuple[tuple[Owner, ...], list[Fault]]:
    below = f"{at}/config/optimizer_map/config"
    try:
        config = members(raw.get("config"))
        table = members(members(config.get("optimizer_map")).get("config"))
        patterns = members(table.get("optimizer_map"))
    except Wrong as no:
        return (), [Fault("KC104", at, "the map of optimizers has a wrong type", expected=no.expected)]
    owners: list[Owner] = []
    faults: list[Fault] = []
    for pattern, one in [*patterns.items(), (None, table.get("default_optimizer"))]:
        place = f"{below}/{'default_optimizer' if pattern is None else f'optimizer_map/{pattern}'}"
        made, wrong = optimizer_of(one, dialect, place)
        faults += wrong
        if pattern is not None and (why := refusal(pattern)):
            faults.append(
                Fault("KC204", place, f"the pattern of names is not supported: {why}", found=pattern)
            )
        if isinstance(made, ir.Stepper):
            made = dataclasses.replace(made, loss_scale_factor=config.get("loss_scale_factor"))
            owners.append(_owner(made, () if pattern is None else (pattern,)))
    return tuple(owners), [*faults, *_too_many(owners, at)]
