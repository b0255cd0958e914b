"""Where the feature maps of a network on a CPU lie: in memory that the process keeps."""

from __future__ import annotations

import ctypes
import os
import sys

_VARIABLES = ("MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "LD_PRELOAD")
"""What speaks for a choice of the user's own: glibc's settings, or another allocator."""
# malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Let glibc keep large blocks that are freed, for the next ones.

    A network's feature maps are of some hundred MiB each. By default glibc asks the system for each
    of them and gives it back when it is freed, and the system fills it with zeros, page by page,
    every time. The process stays as large as it ever was in return.

    Returns:
        Whether it is done. It is not where there is no glibc, nor where an environment variable
        (``MALLOC_MMAP_MAX_``, ``LD_PRELOAD``, …) shows that the user has seen to it.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _VARIABLES):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # Each returns 1 on success.
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, -1))
