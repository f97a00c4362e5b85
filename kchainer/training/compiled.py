"""Training as a compiled file says: one step is Keras's ``train_on_batch``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import chainer
import numpy as np

from kchainer.backends.chainer.networks import Networks
from kchainer.backends.chainer.objectives import loss_of
from kchainer.backends.chainer.runtime import Network, Sequential
from kchainer.backends.chainer.trained import optimizer_for
from kchainer.diagnostics import Diagnostic, KchainerError
from kchainer.functions.measures import METRICS, MeanOf, masked_weight
from kchainer.functions.weighting import class_weights
from kchainer.ir.graph import Model
from kchainer.ir.training import Measure, Objective, Training
from kchainer.training.penalties import penalties_of

ClassWeight = Mapping[int, float]
# Files name a metric by its class, its function or shortly.
BY_NAME = {name.lower(): make for name, make in METRICS.items()}
SHORT = {
    "mse": "meansquarederror",
    "mae": "meanabsoluteerror",
    "mape": "meanabsolutepercentageerror",
    "msle": "meansquaredlogarithmicerror",
    "kld": "kldivergence",
    "bce": "binarycrossentropy",
    "logcosh": "logcosherror",
}


def from_compiled(net: Any, optimizer: Any = None) -> Step:
    """The training step of a network of ``kchainer.load``, or of a builder's model that was compiled.

    Args:
        net: the network; it is trained in place.
        optimizer: in place of the file's, set up on ``net`` already.

    Raises:
        KchainerError (KC503): the file names no optimizer and loss, or some that are not supported; the reasons
        stand in the diagnostics.
    """
    net = getattr(net, "net", net)
    if isinstance(net, Networks):
        hint = "write the objective in Chainer, with `model.to_optimizer(nets)`"
        raise _refused("a step trains one network, and these are several", "", hint)
    if not isinstance(net, (Network, Sequential)):
        raise TypeError("expected a network that kchainer made, and that is built")
    training = net.model.training
    if training is None:
        _raise_why(net.model)
    assert training is not None
    if not any(o.loss is not None for o in training.objectives):
        raise _refused("no loss is named", net.model.origin.file, "state one in code, and use `to_optimizer`")
    made = optimizer if optimizer is not None else optimizer_for(net.model, net)
    if made is None:
        raise _refused(
            "no optimizer is named", net.model.origin.file, "give one: from_compiled(net, optimizer)"
        )
    return Step(net, made, training)


def _refused(message: str, file: str, hint: str | None = None) -> KchainerError:
    return KchainerError(Diagnostic(code="KC503", message=message, file=file, hint=hint))


def _raise_why(model: Model) -> None:
    reasons = [d for d in model.warnings if d.code == "KC501"]
    if reasons:
        raise KchainerError(*(dataclasses.replace(d, severity="error") for d in reasons))
    hint = "state optimizer and loss in code, or compile the model before it is saved"
    raise _refused("the file holds no compiled settings", model.origin.file, hint)


class Step:
    """One call is one update: ``step(inputs, targets)`` gives the loss before it.

    ``optimizer`` may be saved and loaded with ``chainer.serializers``; ``metrics`` has those of the last batch, by
    name; ``unknown_metrics`` names those of the file that are not computed.
    """

    def __init__(self, net: Any, optimizer: Any, training: Training) -> None:
        self.net, self.optimizer, self.training = net, optimizer, training
        self.losses = [(o, loss_of(o.loss)) for o in training.objectives if o.loss is not None]
        self.penalties = penalties_of(net, with_frozen=training.frozen_penalties)
        self.output_names = _output_names(net)
        several = len(net.plan.outputs) > 1
        made = [(self._name(m, several), m, _measure(m)) for m in training.metrics]
        self.measures = [one for one in made if one[2] is not None]
        self.unknown_metrics = tuple(m.metric.name for _, m, one in made if one is None)
        self.metrics: dict[str, Any] = {}
        self._places = {o.output: _place(net, o) for o, _ in self.losses}
        self._masks = net.plan.masks or (None,) * len(net.plan.outputs)
        seen = {m for m in self._masks if m is not None}
        self._keep = {*net.plan.outputs, *self._places.values(), *self.penalties.values, *seen}

    def _name(self, measure: Measure, several: bool) -> str:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", measure.metric.name).lower()
        name = f"weighted_{name}" if measure.weighted else name
        return f"{self.output_names[measure.output]}_{name}" if several else name

    def __call__(
        self, inputs: Any, targets: Any, sample_weight: Any = None, class_weight: ClassWeight | None = None
    ) -> float:
        """Update once.

        Args:
            inputs: an array, or one for each input: a list, or a dictionary by input name.
            targets: an array, or one for each output, likewise.
            sample_weight: of the samples, or of the values of their outputs; one for each output, likewise.
            class_weight: by the number of the class.

        Returns:
            The loss before the update, penalties of regularizers included.
        """
        kept: list[Any] = []

        def loss() -> Any:
            kept.append(self.loss(inputs, targets, sample_weight, class_weight))
            return kept[0]

        with chainer.using_config("train", True):
            self.optimizer.update(loss)
        return float(kept[0].array)

    def loss(
        self, inputs: Any, targets: Any, sample_weight: Any = None, class_weight: ClassWeight | None = None
    ) -> Any:
        """The loss as a Variable, in the mode that ``chainer.config.train`` says; ``metrics`` are filled."""
        values = self.net.values(*self._inputs(inputs), keep=self._keep)
        wanted = self._by_output(targets, "targets")
        weights = self._weights(wanted, sample_weight, class_weight)
        total = None
        for objective, loss in self.losses:
            i = objective.output
            place, weight = values[self._places[i]], self._moved(weights[i])
            part = loss(self._moved(wanted[i]), place, weight, self._mask(values, i))
            part = part if objective.weight == 1 else part * objective.weight
            total = part if total is None else total + part
        penalty = self.penalties.total(values)
        self._measure(values, wanted, weights)
        return total if penalty is None else total + penalty

    def _measure(self, values: Mapping[int, Any], wanted: Sequence[Any], weights: Sequence[Any]) -> None:
        self.metrics = {}
        for name, measure, one in self.measures:
            i = measure.output
            one.reset()
            weight = weights[i] if measure.weighted else None
            mask = self._mask(values, i) if measure.masked != "none" else None
            if mask is not None and isinstance(one, MeanOf):
                one.update(wanted[i], values[self.net.plan.outputs[i]].array, weight, mask)
            else:
                weight = masked_weight(weight, mask) if measure.masked == "all" else weight
                one.update(wanted[i], values[self.net.plan.outputs[i]].array, weight)
            self.metrics[name] = one.result()

    def _mask(self, values: Mapping[int, Any], output: int) -> Any:
        """The mask of an output as an array; None where it has none."""
        number = self._masks[output]
        return None if number is None else getattr(values[number], "array", values[number])

    def _inputs(self, inputs: Any) -> list[Any]:
        if isinstance(inputs, Mapping):
            network = self.net.model.network
            inputs = [inputs[network.nodes[i].layer] for i in network.inputs]
        several = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        return [self._moved(x) for x in several]

    def _moved(self, array: Any) -> Any:
        if array is None or isinstance(array, chainer.Variable):
            return array
        return self.net.device.send(np.asarray(array) if isinstance(array, (list, tuple)) else array)

    def _by_output(self, given: Any, what: str) -> list[Any]:
        """One for each output. Raises ValueError, KeyError."""
        count = len(self.output_names)
        if isinstance(given, Mapping):
            unknown = set(given) - set(self.output_names)
            if unknown:
                raise KeyError(f"{what}: no output {sorted(unknown)[0]!r}; there are {self.output_names}")
            return [given.get(name) for name in self.output_names]
        several = list(given) if isinstance(given, (list, tuple)) and count > 1 else [given]
        if len(several) != count:
            raise ValueError(f"{what} for {count} outputs expected, {len(several)} given")
        return several

    def _weights(
        self, wanted: Sequence[Any], sample_weight: Any, class_weight: ClassWeight | None
    ) -> list[Any]:
        if sample_weight is None:
            weights: list[Any] = [None] * len(wanted)
        elif isinstance(sample_weight, (list, tuple, Mapping)):
            weights = self._by_output(sample_weight, "sample_weight")
        else:
            weights = [sample_weight] * len(wanted)
        if class_weight is None:
            return weights
        if len(wanted) > 1:
            raise ValueError("class_weight goes with one output; give sample_weight for several")
        by_class = class_weights(wanted[0], class_weight, missing=self.training.missing_class_weight)
        return [by_class if weights[0] is None else by_class * chainer.backends.cuda.to_cpu(weights[0])]


def _output_names(net: Any) -> tuple[str, ...]:
    network: Any = net.model.network
    usual = tuple(network.nodes[node].layer.partition("/")[0] for node, _ in network.outputs)
    return network.output_names or usual


def _measure(measure: Measure) -> Any:
    """The metric, None for one that is unknown or has unknown arguments: it changes no training."""
    arguments = {k: list(v) if isinstance(v, tuple) else v for k, v in measure.metric.arguments}
    word = measure.metric.name.replace("_", "").lower()
    make = BY_NAME.get(SHORT.get(word, word))
    try:
        return make(**arguments) if make is not None else None
    except (TypeError, ValueError):
        return None


def _place(net: Any, objective: Objective) -> int:
    """The value of the plan that a loss sees: the output, or what enters its softmax or sigmoid."""
    output: int = net.plan.outputs[objective.output]
    if not objective.on_logits:
        return output
    step = next((s for s in net.plan.steps if s.output == output), None)
    target = step.call.target if step is not None and step.call is not None else ""
    if step is None or target.rpartition(".")[2] not in ("softmax", "sigmoid"):
        message = "a loss of logits behind a softmax in another layout is not supported"
        raise _refused(message, net.model.origin.file)
    return int(step.inputs[0])
