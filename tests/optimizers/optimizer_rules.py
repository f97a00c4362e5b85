"""The update rules written once more, in plain NumPy and float64, from their published formulas.

Each function takes the weight, the gradient, the state (a dictionary that starts empty), the count t from 1 and the
rate, and returns the new weight.
"""

from __future__ import annotations

import numpy as np


def sgd(w, g, s, t, lr, momentum=0.0, nesterov=False):
    s["v"] = momentum * s.get("v", 0) - lr * g
    return w + (momentum * s["v"] - lr * g if nesterov else s["v"])


def lion(w, g, s, t, lr, beta_1=0.9, beta_2=0.99):
    m = s.get("m", np.zeros_like(w))
    s["m"] = beta_2 * m + (1 - beta_2) * g
    return w - lr * np.sign(beta_1 * m + (1 - beta_1) * g)


def root(a, epsilon, inside):
    return np.sqrt(a + epsilon) if inside else np.sqrt(a) + epsilon


def rmsprop(w, g, s, t, lr, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, eps_inside_sqrt=True):
    s["a"] = rho * s.get("a", 0) + (1 - rho) * g**2
    s["mean"] = rho * s.get("mean", 0) + (1 - rho) * g
    a = s["a"] - s["mean"] ** 2 if centered else s["a"]
    s["m"] = momentum * s.get("m", 0) + lr * g / root(a, epsilon, eps_inside_sqrt)
    return w - s["m"]


def adagrad(w, g, s, t, lr, initial_accumulator_value=0.1, epsilon=1e-7, eps_inside_sqrt=True):
    s["a"] = s.get("a", initial_accumulator_value) + g**2
    return w - lr * g / root(s["a"], epsilon, eps_inside_sqrt)


def adadelta(w, g, s, t, lr, rho=0.95, epsilon=1e-7):
    s["a"] = rho * s.get("a", 0) + (1 - rho) * g**2
    d = np.sqrt(s.get("d", 0) + epsilon) / np.sqrt(s["a"] + epsilon) * g
    s["d"] = rho * s.get("d", 0) + (1 - rho) * d**2
    return w - lr * d


def moments(g, s, beta_1, beta_2):
    s["m"] = beta_1 * s.get("m", 0) + (1 - beta_1) * g
    s["v"] = beta_2 * s.get("v", 0) + (1 - beta_2) * g**2


def adam(w, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, adaptive_epsilon=False):
    moments(g, s, beta_1, beta_2)
    s["top"] = np.maximum(s.get("top", 0), s["v"])
    correction = np.sqrt(1 - beta_2**t)
    scale = epsilon * correction if adaptive_epsilon else epsilon
    v = s["top"] if amsgrad else s["v"]
    return w - lr * correction / (1 - beta_1**t) * s["m"] / (np.sqrt(v) + scale)


def adamax(w, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    s["m"] = beta_1 * s.get("m", 0) + (1 - beta_1) * g
    s["u"] = np.maximum(beta_2 * s.get("u", 0), np.abs(g))
    return w - lr / (1 - beta_1**t) * s["m"] / (s["u"] + epsilon)


def nadam(w, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7, schedule_decay=1.0):
    def mu(i):
        return beta_1 * (1 - 0.5 * 0.96 ** (i * schedule_decay))

    moments(g, s, beta_1, beta_2)
    product = np.prod([mu(i) for i in range(1, t + 1)])
    g_hat = g / (1 - product)
    m_hat = s["m"] / (1 - product * mu(t + 1))
    mean = (1 - mu(t)) * g_hat + mu(t + 1) * m_hat
    return w - lr * mean / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)


def lamb(w, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    moments(g, s, beta_1, beta_2)
    r = s["m"] / (1 - beta_1**t) / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)
    a, b = np.linalg.norm(w), np.linalg.norm(r)
    return w - lr * (a / b if a > 0 and b > 0 else 1) * r


def ftrl(
    w, g, s, t, lr, learning_rate_power=-0.5, initial_accumulator_value=0.1, l1_regularization_strength=0.0,
    l2_regularization_strength=0.0, l2_shrinkage_regularization_strength=0.0, beta=0.0,
):  # fmt: skip
    a = s.get("a", initial_accumulator_value * np.ones_like(w))
    s["a"] = a + g**2
    p = -learning_rate_power
    sigma = (s["a"] ** p - a**p) / lr
    s["z"] = s.get("z", 0) + g + 2 * l2_shrinkage_regularization_strength * w - sigma * w
    q = s["a"] ** p / lr + 2 * (l2_regularization_strength + beta / (2 * lr))
    z, l1 = s["z"], l1_regularization_strength
    return np.where(np.abs(z) > l1, -(z - np.sign(z) * l1) / q, 0)


def adafactor(w, g, s, t, lr, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0):
    def rms(x):
        return np.sqrt(np.mean(x**2))

    square, beta = g**2 + epsilon_1, 1 - t**beta_2_decay
    if w.ndim < 2:
        s["v"] = v = beta * s.get("v", 0) + (1 - beta) * square
    else:
        s["r"] = beta * s.get("r", 0) + (1 - beta) * square.mean(-1)
        s["c"] = beta * s.get("c", 0) + (1 - beta) * square.mean(-2)
        ratio = s["r"] / s["r"].mean(-1, keepdims=True)
        v = np.einsum("...i,...j->...ij", ratio, s["c"])
    u = g / np.sqrt(v)
    rho = min(lr, 1 / np.sqrt(t))
    return w - max(epsilon_2, rms(w)) * rho * u / max(1, rms(u) / clip_threshold)


def muon(w, g, s, t, lr, momentum=0.95, nesterov=True, ns_steps=5, rms_rate=0.2, **adam_arguments):
    if w.ndim != 2:
        return adam(w, g, s, t, lr, **adam_arguments)
    s["m"] = momentum * s.get("m", 0) + g
    x = g + momentum * s["m"] if nesterov else s["m"]
    turned = x.shape[0] > x.shape[1]
    x = x.T if turned else x
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(ns_steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    x = x.T if turned else x
    return w - lr * x * (np.sqrt(max(w.shape)) * rms_rate if rms_rate is not None else 1)


def schedule_free_adamw(w, g, s, t, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0):
    z = s.get("z", w)
    x = s.get("x", w)  # kept, where the optimizer finds it from w and z
    lr = lr * min(t / warmup_steps, 1) if warmup_steps else lr
    s["v"] = beta_2 * s.get("v", 0) + (1 - beta_2) * g**2
    s["z"] = z - lr * g / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)
    s["x"] = (1 - 1 / t) * x + s["z"] / t
    return (1 - beta_1) * s["z"] + beta_1 * s["x"]


def eve(w, g, s, t, lr, f, beta_1=0.9, beta_2=0.999, beta_3=0.999, epsilon=1e-8, lower=0.1, upper=10.0):
    moments(g, s, beta_1, beta_2)
    if t == 1:
        s["f"], s["d"] = f, 1.0
    else:
        least, most = (lower + 1, upper + 1) if f > s["f"] else (1 / (upper + 1), 1 / (lower + 1))
        new = np.clip(f / (s["f"] + 1e-12), least, most) * s["f"]
        r = abs(new - s["f"]) / (min(new, s["f"]) + 1e-12)
        s["d"], s["f"] = beta_3 * s["d"] + (1 - beta_3) * r, new
    rate = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - rate * s["m"] / (s["d"] * np.sqrt(s["v"]) + epsilon)
