"""OpenMP's threads of a model that has nothing to do.

Every thread that computes has helpers of its own, which OpenMP keeps for the next time. It counts all of them, and
where they are more than the cores it lets none wait awake: each of the many meetings in a token then costs a
system call. So a second model that is merely loaded would make the first one half as fast.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

from tui.engine.library import library_folder

# omp_pause_resource_t of omp.h: threads may go, what the program set stays
_SOFT = 1


def let_helpers_go() -> None:
    """End the calling thread's OpenMP helpers; the next computation makes new ones, in some 0.1 ms.

    Does nothing where ggml was built without OpenMP, or with one that cannot do this (OpenMP before 5.0).
    """
    _pause()(_SOFT)


@functools.cache
def _pause() -> Callable[[int], object]:
    # A name is looked for in what a library depends on, too, so this finds the OpenMP that ggml itself uses.
    for file in sorted(library_folder().glob("*ggml-cpu*")):
        try:
            return ctypes.CDLL(str(file)).omp_pause_resource_all
        except (OSError, AttributeError):
            continue
    return lambda _: None
