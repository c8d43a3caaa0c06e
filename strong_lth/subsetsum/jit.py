"""How the kernels of this package are compiled: ``strong_lth.jit``, under the name that they import."""

from strong_lth.jit import kernel

__all__ = ["kernel"]
