"""What trains networks: steps as compiled files say, the builder's running models, chainer-sequential's chain."""

from typing import Any

__all__ = ["Step", "fit", "from_compiled"]


def __getattr__(name: str) -> Any:
    """Public names, imported on use: Chainer is loaded by none of this package before."""
    if name in ("Step", "from_compiled"):
        import kchainer.training.compiled

        return getattr(kchainer.training.compiled, name)
    if name == "fit":
        import kchainer.training.fitting

        return kchainer.training.fitting.fit
    raise AttributeError(f"module 'kchainer.training' has no attribute {name!r}")
