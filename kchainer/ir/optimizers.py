"""Learning-rate schedules and optimizers as data. No attribute has a Python default."""

from __future__ import annotations

from typing import Any, ClassVar

from kchainer.ir.definition import described
from kchainer.ir.op import attr
from kchainer.ir.parts import Part, base

SCHEDULES: dict[str, Any] = {}
STEPPERS: dict[str, Any] = {}  # optimizers that wrap no other
OPTIMIZERS: dict[str, Any] = {}


class Schedule(Part):
    """A learning rate by the step, counted from 0. Attributes are the arguments of ``kchainer.optimizers``."""

    __slots__ = ()
    table = SCHEDULES


FIRST = "rate of step 0"


@described(SCHEDULES)
class ExponentialDecay(Schedule):
    """initial * decay_rate ** (step / decay_steps)."""

    initial_learning_rate: float = attr(doc=FIRST)
    decay_steps: float = attr(doc="steps in which the rate falls by decay_rate", above=0)
    decay_rate: float = attr(doc="base of the power")
    staircase: bool = attr(doc="take the whole part of the exponent", spec=False)


@described(SCHEDULES)
class InverseTimeDecay(Schedule):
    """initial / (1 + decay_rate * step / decay_steps)."""

    initial_learning_rate: float = attr(doc=FIRST)
    decay_steps: float = attr(doc="steps in which the divisor grows by decay_rate", above=0)
    decay_rate: float = attr(doc="growth of the divisor")
    staircase: bool = attr(doc="take the whole part of the quotient", spec=False)


@described(SCHEDULES)
class PiecewiseConstantDecay(Schedule):
    """values[i] up to and with boundaries[i], the last value after all of them."""

    boundaries: tuple[float, ...] = attr(doc="last steps of the values")
    values: tuple[float, ...] = attr(doc="rates, one more than boundaries")


@described(SCHEDULES)
class PolynomialDecay(Schedule):
    """(initial - end) * (1 - step / decay_steps) ** power + end."""

    initial_learning_rate: float = attr(doc=FIRST)
    decay_steps: float = attr(doc="steps to the end", above=0)
    end_learning_rate: float = attr(doc="rate at the end", spec=1e-4)
    power: float = attr(doc="exponent", spec=1.0)
    cycle: bool = attr(doc="begin anew after the end, longer each time", spec=False)


@described(SCHEDULES)
class CosineDecay(Schedule):
    """A line to warmup_target, then half a cosine to alpha times it."""

    initial_learning_rate: float = attr(doc=FIRST)
    decay_steps: float = attr(doc="steps of the half cosine", above=0)
    alpha: float = attr(doc="share of the rate that is left at the end", spec=0.0)
    warmup_target: float | None = attr(doc="rate after the warm-up; null: there is none", spec=None)
    warmup_steps: float = attr(doc="steps of the warm-up", spec=0, minimum=0)


@described(SCHEDULES)
class CosineDecayRestarts(Schedule):
    """Half cosines, each t_mul times as long and m_mul times as high as the one before."""

    initial_learning_rate: float = attr(doc=FIRST)
    first_decay_steps: float = attr(doc="steps of the first half cosine", above=0)
    t_mul: float = attr(doc="factor of the length", spec=2.0, minimum=1)
    m_mul: float = attr(doc="factor of the height", spec=1.0)
    alpha: float = attr(doc="share of the rate that is left at the end", spec=0.0)


@described(SCHEDULES)
class LinearCosineDecay(Schedule):
    """initial * ((alpha + 1 - p) * half (1 + cos(2 pi num_periods p)) + beta), p = min(step / decay_steps, 1)."""

    initial_learning_rate: float = attr(doc="factor of the rate")
    decay_steps: float = attr(doc="steps to the end", above=0)
    num_periods: float = attr(doc="periods of the cosine until then", spec=0.5)
    alpha: float = attr(doc="added to the line", spec=0.0)
    beta: float = attr(doc="added to the product", spec=0.001)


class Optimizer(Part):
    """Base of the optimizers. Attributes are the arguments of ``kchainer.optimizers``."""

    __slots__ = ()
    table = OPTIMIZERS


@base
class Stepper(Optimizer):
    """What all optimizers but a wrapper have. Ways of clipping that are set follow each other."""

    table: ClassVar[dict[str, Any]] = STEPPERS

    learning_rate: float | Schedule = attr(doc="the step's size, or a schedule", minimum=0)
    clipnorm: float | None = attr(doc="longest gradient of each variable", spec=None, above=0)
    global_clipnorm: float | None = attr(doc="longest gradient of all together", spec=None, above=0)
    clipvalue: float | None = attr(doc="largest element of a gradient", spec=None, above=0)
    weight_decay: float | None = attr(doc="w -= w * weight_decay * rate before the step", spec=None)
    decay: float = attr(doc="the rate is divided by 1 + decay * step", spec=0.0, minimum=0)
    use_ema: bool = attr(doc="keep moving averages of the weights", spec=False)
    ema_from_start: bool = attr(doc="averages begin with the weights before the first step", spec=False)
    ema_momentum: float = attr(doc="share of the old average", spec=0.99, minimum=0)
    ema_overwrite_frequency: int | None = attr(doc="steps between writes to weights", spec=None, minimum=1)
    loss_scale_factor: float | None = attr(doc="factor of the loss, divided out again", spec=None, above=0)
    gradient_accumulation_steps: int | None = attr(doc="steps per update", spec=None, minimum=2)


RHO = "share of the old mean"
BETA_1, BETA_2 = "share of the old first moment", "share of the old second moment"
EPSILON = "added to the divisor"
INSIDE = "add epsilon inside the root"


@described(STEPPERS)
class SGD(Stepper):
    """Gradient descent with momentum."""

    momentum: float = attr(doc="share of the old step", spec=0.0, minimum=0)
    nesterov: bool = attr(doc="look ahead", spec=False)


@described(STEPPERS)
class RMSprop(Stepper):
    """Division by a running mean of squares."""

    rho: float = attr(doc=RHO, spec=0.9, minimum=0)
    momentum: float = attr(doc="share of the old step", spec=0.0, minimum=0)
    epsilon: float = attr(doc=EPSILON, spec=1e-7, minimum=0)
    centered: bool = attr(doc="subtract the squared mean", spec=False)
    eps_inside_sqrt: bool = attr(doc=INSIDE, spec=True)


@described(STEPPERS)
class Adagrad(Stepper):
    """Division by the root of all squares so far."""

    initial_accumulator_value: float = attr(doc="first value of the sum", spec=0.1, minimum=0)
    epsilon: float = attr(doc=EPSILON, spec=1e-7, minimum=0)
    eps_inside_sqrt: bool = attr(doc=INSIDE, spec=True)


@described(STEPPERS)
class Adadelta(Stepper):
    """Steps as large as the steps before."""

    rho: float = attr(doc=RHO, spec=0.95, minimum=0)
    epsilon: float = attr(doc=EPSILON, spec=1e-7, minimum=0)


@base
class Moments(Stepper):
    """Two moments."""

    beta_1: float = attr(doc=BETA_1, spec=0.9, minimum=0)
    beta_2: float = attr(doc=BETA_2, spec=0.999, minimum=0)
    epsilon: float = attr(doc=EPSILON, spec=1e-7, minimum=0)


@described(STEPPERS)
class Adam(Moments):
    """Adaptive moments; AdamW is this with weight_decay."""

    amsgrad: bool = attr(doc="divide by the largest second moment so far", spec=False)
    adaptive_epsilon: bool = attr(doc="multiply epsilon by sqrt(1 - beta_2^t)", spec=False)


@described(STEPPERS)
class Adamax(Moments):
    """Adam by the largest gradient."""


@described(STEPPERS)
class Nadam(Moments):
    """Adam with Nesterov momentum that warms up."""

    schedule_decay: float = attr(doc="factor of the warm-up's exponent", spec=1.0, minimum=0)
    product_per_variable: bool = attr(doc="the product of momenta grows with each parameter", spec=False)


@described(STEPPERS)
class Lamb(Moments):
    """Layer-wise scaled Adam."""


@described(STEPPERS)
class ScheduleFreeAdamW(Moments):
    """Adam whose weights stand between the newest point and the mean of all."""

    warmup_steps: int = attr(doc="steps in which the rate grows", spec=0, minimum=0)


@described(STEPPERS)
class Lion(Stepper):
    """Signs of an interpolated momentum."""

    beta_1: float = attr(doc="share of the momentum in the sign", spec=0.9, minimum=0)
    beta_2: float = attr(doc=BETA_1, spec=0.99, minimum=0)


@described(STEPPERS)
class Ftrl(Stepper):
    """Follow the regularized leader."""

    learning_rate_power: float = attr(doc="exponent of the sum, negated", spec=-0.5)
    initial_accumulator_value: float = attr(doc="first value of the sum", spec=0.1, minimum=0)
    l1_regularization_strength: float = attr(doc="l1", spec=0.0, minimum=0)
    l2_regularization_strength: float = attr(doc="l2", spec=0.0, minimum=0)
    l2_shrinkage_regularization_strength: float = attr(doc="l2 on the gradient", spec=0.0, minimum=0)
    beta: float = attr(doc="added to the root, as 2 l2 rate", spec=0.0)


@described(STEPPERS)
class Adafactor(Stepper):
    """Factored second moments."""

    beta_2_decay: float = attr(doc="exponent of the moment's share", spec=-0.8)
    epsilon_1: float = attr(doc="added to squares", spec=1e-30, minimum=0)
    epsilon_2: float = attr(doc="least size of weights", spec=1e-3, minimum=0)
    clip_threshold: float = attr(doc="largest root mean square of a step", spec=1.0, above=0)


@described(STEPPERS)
class Muon(Stepper):
    """Orthogonalized momentum for matrices, Adam for the rest."""

    adam_beta_1: float = attr(doc=BETA_1, spec=0.9, minimum=0)
    adam_beta_2: float = attr(doc=BETA_2, spec=0.999, minimum=0)
    adam_weight_decay: float | None = attr(doc="weight_decay of what Adam updates", spec=0.004)
    epsilon: float = attr(doc=EPSILON, spec=1e-7, minimum=0)
    exclude_layers: tuple[str, ...] = attr(doc="patterns of names left to Adam", spec=())
    exclude_embeddings: bool = attr(doc="leave names with `embedding` to Adam", spec=True)
    muon_a: float = attr(doc="Newton-Schulz, first coefficient", spec=3.4445)
    muon_b: float = attr(doc="Newton-Schulz, second coefficient", spec=-4.775)
    muon_c: float = attr(doc="Newton-Schulz, third coefficient", spec=2.0315)
    adam_lr_ratio: float = attr(doc="factor of Adam's rate", spec=1.0, minimum=0)
    momentum: float = attr(doc="share of the old step", spec=0.95, minimum=0)
    ns_steps: int = attr(doc="Newton-Schulz steps", spec=5, minimum=0)
    nesterov: bool = attr(doc="look ahead", spec=True)
    rms_rate: float | None = attr(doc="factor of sqrt(max(rows, columns))", spec=0.2)
    ratio_scale: bool = attr(doc="scale by sqrt(max(1, rows / columns)) instead", spec=False)
    ranks: tuple[int, ...] = attr(doc="numbers of axes that are matrices", spec=(2,))


@described(STEPPERS)
class Eve(Moments):
    """Adam whose rate follows the objective."""

    beta_3: float = attr(doc="share of the old relative change", spec=0.999, minimum=0)
    lower_threshold: float = attr(doc="least relative change", spec=0.1, minimum=0)
    upper_threshold: float = attr(doc="largest relative change", spec=10.0, minimum=0)


OPTIMIZERS |= STEPPERS


@described(OPTIMIZERS)
class LossScale(Optimizer):
    """Scales the loss as long as gradients stay finite."""

    inner: Stepper = attr(doc="the optimizer that steps")
    initial_scale: float = attr(doc="first factor of the loss", spec=2.0**15, above=0)
    dynamic_growth_steps: int = attr(doc="finite steps after which it doubles", spec=2000, minimum=1)
