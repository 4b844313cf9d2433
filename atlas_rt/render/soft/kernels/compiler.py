"""How kernels are compiled: by numba, without the interpreter lock, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

FAST_MATH = {"contract", "reassoc", "nsz", "arcp", "afn"}
"""All liberties but two: NaN and infinity stay what they are, since a comparison must be able to reject them."""


def kernel(function: F) -> F:
    """Compile a function at its first call, for the types it is called with."""
    import numba

    compiled = numba.njit(nogil=True, cache=True, fastmath=FAST_MATH, error_model="numpy", boundscheck=False)
    return cast("F", compiled(function))
