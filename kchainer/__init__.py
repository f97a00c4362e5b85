"""Keras models of every release as Chainer models.

``load`` gives a running network, ``read`` the checked IR. Importing this package lets Chainer 7.8.1 import on
today's NumPy; neither NumPy nor Chainer is loaded by it.
"""

from typing import Any

from kchainer.compat import install as _install

_install()

__version__ = "0.1.0"
_API = (
    "convert",
    "from_keras",
    "from_spec",
    "load",
    "read",
    "to_chainer",
    "to_source",
    "to_spec",
    "validate",
    "verify",
    "weights",
)
_DIAGNOSTICS = ("Diagnostic", "KchainerError")
_NETWORKS = ("Model", "Sequential", "from_dict", "from_json")
__all__ = [
    *_API,
    *_DIAGNOSTICS,
    *_NETWORKS,
    "Chain",
    "Input",
    "layers",
    "plan_deconvolutions",
    "register",
    "start_weight_normalization",
]


def __getattr__(name: str) -> Any:
    """Public names, imported on use: ``kchainer --help`` loads nothing heavy."""
    if name in _API:
        import kchainer.api

        return getattr(kchainer.api, name)
    if name in _DIAGNOSTICS:
        import kchainer.diagnostics

        return getattr(kchainer.diagnostics, name)
    if name == "register":
        import kchainer.custom

        return kchainer.custom.register
    if name in _NETWORKS:
        import kchainer.training.networks

        return getattr(kchainer.training.networks, name)
    if name == "start_weight_normalization":
        import kchainer.links

        return kchainer.links.start_weight_normalization
    if name == "plan_deconvolutions":
        import kchainer.frontends.builder.sizes

        return kchainer.frontends.builder.sizes.plan_deconvolutions
    if name == "Chain":
        import kchainer.training.chain

        return kchainer.training.chain.Chain
    if name == "training":
        import kchainer.training

        return kchainer.training
    if name == "layers" or name.startswith("_"):
        raise AttributeError(f"module 'kchainer' has no attribute {name!r}")  # layers is a module
    import kchainer.layers

    return kchainer.layers.at_top_level(name)
