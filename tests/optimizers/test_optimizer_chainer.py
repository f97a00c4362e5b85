"""The optimizers as Chainer optimizers: hooks, serializers, Trainer, frozen parameters, several on one network."""

from __future__ import annotations

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest
from chainer import training
from chainer.training import extensions

from kchainer import optimizers
from kchainer.links.frozen import freeze

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(16, 4)).astype("float32"), RNG.normal(size=(16, 2)).astype("float32")
ALL = [
    optimizers.SGD(0.05, momentum=0.9, use_ema=True),
    optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    optimizers.Adagrad(),
    optimizers.Adadelta(1.0),
    optimizers.Adam(0.01, amsgrad=True, gradient_accumulation_steps=2),
    optimizers.AdamW(0.01),
    optimizers.Adamax(0.01),
    optimizers.Nadam(0.01),
    optimizers.Ftrl(0.05),
    optimizers.Lion(0.001),
    optimizers.Lamb(0.01),
    optimizers.Adafactor(0.01),
    optimizers.Muon(0.01),
    optimizers.ScheduleFreeAdamW(0.01),
    optimizers.Eve(0.01),
    optimizers.LossScale(optimizers.Adam(0.01), initial_scale=1024.0, dynamic_growth_steps=3),
    optimizers.SGD(optimizers.ExponentialDecay(0.1, 3, 0.5)),
]
IDS = [f"{type(o).__name__}-{i}" for i, o in enumerate(ALL)]


def network():
    rng = np.random.default_rng(1)
    return chainer.Sequential(
        L.Linear(4, 5, initialW=rng.normal(size=(5, 4)).astype("float32")),
        F.tanh,
        L.Linear(5, 2, initialW=rng.normal(size=(2, 5)).astype("float32")),
    )


def arrays(net):
    return {path: p.array.copy() for path, p in net.namedparams()}


def lossfun(net):
    return lambda x, t: F.mean_squared_error(net(x), t)


def assert_same(one, other):
    for path, array in one.items():
        np.testing.assert_array_equal(array, other[path])


@pytest.mark.parametrize("optimizer", ALL, ids=IDS)
def test_saved_and_resumed_goes_on_as_if_nothing_were(optimizer, tmp_path):
    net = network()
    optimizer.setup(net)
    for _ in range(5):
        optimizer.update(lossfun(net), X, T)
    chainer.serializers.save_npz(tmp_path / "net.npz", net)
    chainer.serializers.save_npz(tmp_path / "optimizer.npz", optimizer)
    for _ in range(4):
        optimizer.update(lossfun(net), X, T)
    wanted = arrays(net)
    again = network()
    optimizer.setup(again)  # discards all state
    chainer.serializers.load_npz(tmp_path / "net.npz", again)
    chainer.serializers.load_npz(tmp_path / "optimizer.npz", optimizer)
    assert optimizer.t == 5
    for _ in range(4):
        optimizer.update(lossfun(again), X, T)
    assert_same(wanted, arrays(again))


@pytest.mark.parametrize("optimizer", ALL[:14], ids=IDS[:14])
def test_state_travels_in_the_layout_of_the_source(optimizer):
    views = {f"/{i}/W": optimizers.View(f"dense_{i}/kernel", axes=(1, 0)) for i in (0, 1)}
    net = network()
    optimizer.setup(net, views=views)
    for _ in range(5):
        optimizer.update(lossfun(net), X, T)
    state, steps, first = optimizer.state(), optimizer.t, arrays(net)
    product = getattr(optimizer, "u_product", None)
    for path, slots in state.items():
        wanted = dict(net.namedparams())[path].array.T.shape
        whole = [s for s, a in slots.items() if s not in ("r", "c") and a.ndim]
        assert all(slots[s].shape == wanted for s in whole)
    for _ in range(3):
        optimizer.update(lossfun(net), X, T)
    again = network()
    for path, p in again.namedparams():
        p.array[...] = first[path]
    optimizer.setup(again, views=views)
    optimizer.load_state(state, steps)
    if product is not None:
        optimizer.u_product = product
    for _ in range(3):
        optimizer.update(lossfun(again), X, T)
    assert_same(arrays(net), arrays(again))
    slot = optimizer.slots[0]
    with pytest.raises(ValueError, match="expected shape"):
        optimizer.load_state({"/0/b": {slot: np.zeros(77, "float32")}}, 1)


def test_stock_hooks_run_before_clipping_and_after_the_step():
    net, seen = network(), []
    optimizer = optimizers.SGD(0.1, clipnorm=1e-3).setup(net)
    optimizer.add_hook(chainer.optimizer_hooks.WeightDecay(0.1))
    optimizer.add_hook(chainer.optimizer_hooks.GradientClipping(1.0))
    optimizer.add_hook(lambda o: seen.append(float(abs(net[0].W.grad).max())), name="before")
    optimizer.add_hook(lambda o: seen.append(np.linalg.norm(net[0].W.grad)), name="after", timing="post")
    optimizer.update(lossfun(net), X, T)
    assert seen[0] > 1e-2
    assert seen[1] == pytest.approx(1e-3, rel=1e-5)


def test_parameters_without_gradient_or_frozen_stay():
    net = network()
    freeze(net[0])
    before = arrays(net)
    optimizer = optimizers.Adam(0.1, weight_decay=0.1, use_ema=True).setup(net)
    net.cleargrads()
    net[2].b.grad = np.ones_like(net[2].b.array)
    optimizer.update()
    after = arrays(net)
    moved = {path for path in before if (before[path] != after[path]).any()}
    assert moved == {"/1/b"}


def test_weight_decay_excludes_paths_and_names():
    net = network()
    for p in net.params():
        p.array[...] = 1
    views = {"/0/W": optimizers.View("dense_1/kernel")}
    optimizer = optimizers.SGD(0.5, weight_decay=0.1).setup(net, views=views)
    optimizer.exclude_from_weight_decay("dense_1/", "b$", paths=["/1/W"])
    for p in net.params():
        p.grad = np.zeros_like(p.array)
    optimizer.update()
    assert_same({path: np.ones_like(a) for path, a in arrays(net).items()}, arrays(net))
    optimizer.exclude_from_weight_decay()
    optimizer.update()
    assert net[0].W.array[0, 0] == np.float32(0.95)
    with pytest.raises(KeyError, match="no parameter"):
        optimizer.exclude_from_weight_decay(paths=["/7/W"])


def test_two_optimizers_own_parts_of_one_network():
    net = network()
    before = arrays(net)
    first = optimizers.SGD(0.1).setup(net, only={"/0/W", "/0/b"})
    second = optimizers.Adam(0.1).setup(net, only={"/1/W", "/1/b"})
    loss = lossfun(net)(X, T)
    net.cleargrads()
    loss.backward()
    first.update()
    assert (net[2].W.array == before["/1/W"]).all()
    assert (net[0].W.array != before["/0/W"]).any()
    second.update()
    assert (net[2].W.array != before["/1/W"]).any()
    with pytest.raises(KeyError, match="no parameter"):
        first.setup(net, only={"/9/W"})


def test_trainer_drives_it_with_stock_extensions(tmp_path):
    net = network()
    optimizer = optimizers.Adam(0.1).setup(net)
    data = chainer.datasets.TupleDataset(X, T)
    iterator = chainer.iterators.SerialIterator(data, 8)
    updater = training.updaters.StandardUpdater(iterator, optimizer, loss_func=lossfun(net))
    trainer = training.Trainer(updater, (6, "iteration"), out=tmp_path)
    seen = []
    trainer.extend(extensions.observe_lr())
    trainer.extend(extensions.ExponentialShift("lr", 0.5), trigger=(2, "iteration"))
    trainer.extend(extensions.LogReport(trigger=(1, "iteration")))
    trainer.extend(lambda t: seen.append(optimizer.lr), name="seen", trigger=(1, "iteration"))
    trainer.run()
    assert optimizer.epoch == 3
    assert min(seen) == pytest.approx(0.0125)


def test_schedule_extension_sets_the_rate_of_any_optimizer():
    for optimizer in (chainer.optimizers.SGD(9.0), optimizers.SGD(9.0)):
        net = network()
        optimizer.setup(net)
        iterator = chainer.iterators.SerialIterator(chainer.datasets.TupleDataset(X, T), 8)
        updater = training.updaters.StandardUpdater(iterator, optimizer, loss_func=lossfun(net))
        trainer = training.Trainer(updater, (4, "iteration"), out="unused")
        rates = []
        schedule = optimizers.PiecewiseConstantDecay((1,), (0.1, 0.01))
        trainer.extend(optimizers.ScheduleRate(schedule))
        optimizer.add_hook(lambda o, rates=rates: rates.append(o.lr), name="seen")
        trainer.run()
        assert rates == [0.1, 0.1, 0.01, 0.01]


def test_loss_scale_halves_and_doubles_and_leaves_bad_steps_out():
    net = network()
    optimizer = optimizers.LossScale(optimizers.SGD(0.1), initial_scale=8.0, dynamic_growth_steps=2).setup(
        net
    )
    before = arrays(net)
    for p in net.params():
        p.grad = np.full_like(p.array, np.inf)
    optimizer.update()
    assert (optimizer.scale, optimizer.inner.t) == (4.0, 0)
    assert_same(before, arrays(net))
    for _ in range(2):
        loss = optimizer.scale_loss(lossfun(net)(X, T))
        net.cleargrads()
        loss.backward()
        optimizer.update()
    assert (optimizer.scale, optimizer.inner.t, optimizer.t) == (8.0, 2, 3)
    other = network()
    plain = optimizers.SGD(0.1).setup(other)
    for _ in range(2):
        plain.update(lossfun(other), X, T)
    for path, array in arrays(net).items():
        np.testing.assert_allclose(array, arrays(other)[path], rtol=1e-5, atol=1e-6)


def test_float16_with_a_float32_copy():
    net = network()
    net.to_device("@numpy")
    for p in net.params():
        p.array = p.array.astype(np.float16)
    optimizer = optimizers.Adam(1e-3)
    optimizer.use_fp32_update()
    optimizer.setup(net)
    for _ in range(3):
        optimizer.update(lossfun(net), X.astype(np.float16), T.astype(np.float16))
    assert net[0].W.dtype == np.float16
    assert net[0].W.update_rule.state["momentum"].dtype == np.float32


@pytest.mark.parametrize(
    "options",
    [
        {"clipnorm": 0},
        {"ema_momentum": 2},
        {"gradient_accumulation_steps": 1},
        {"ema_overwrite_frequency": 0},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="has to be"):
        optimizers.SGD(0.1, **options)
    with pytest.raises(TypeError, match="has no option"):
        optimizers.SGD(0.1, clipnrom=1.0)
