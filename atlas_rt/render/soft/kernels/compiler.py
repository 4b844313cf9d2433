"""How kernels are compiled: by numba, without the interpreter lock, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

FAST_MATH = {"contract", "reassoc", "nsz", "arcp", "afn"}
"""All liberties but two: NaN and infinity stay what they are, since a comparison must be able to reject them."""


def kernel(function: F) -> F:
    """Compile a function at its first call, for the types it is called with."""
    return _compiled(function)


def part(function: F) -> F:
    """The same for what only kernels call: it is compiled in a third of the time, as Python cannot call it."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compiled(function: F, **options: bool) -> F:
    import numba

    njit: Any = numba.njit
    compiled = njit(nogil=True, cache=True, fastmath=FAST_MATH, error_model="numpy", boundscheck=False, **options)
    return cast("F", compiled(function))
