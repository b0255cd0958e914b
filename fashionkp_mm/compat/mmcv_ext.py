"""Stands in for ``mmcv._ext``, mmcv's compiled operators, where mmcv was installed without them.

Why it is needed: mmcv has no wheel on PyPI for today's torch and Python, and a source build takes a
compiler and a quarter of an hour. ``mmcv-lite`` is a plain wheel without ``_ext``, but
``mmpose.apis`` and ``mmdet.apis`` import ``mmcv.ops``, and that imports ``_ext``.

``nms`` runs on torchvision. Every other operator is there by name, so that imports succeed, and
says what to do when it is called. A compiled mmcv is always preferred: this file is executed as
``mmcv._ext`` only where no other finder knows such a module.

It can go when mmcv publishes wheels again, or mmpose stops importing operators it does not use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import Tensor
from torchvision.ops import nms as torchvision_nms


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Non-maximum suppression as mmcv 2.1 does it.

    Args:
        boxes: ``(N, 4)``, x1 y1 x2 y2 in pixels.
        scores: ``(N,)``. Equal scores keep their order.
        iou_threshold: A box goes when its IoU with a kept, better one is greater than this.
        offset: 0 or 1; a box is ``x2 - x1 + offset`` wide.

    Returns:
        Indices of the kept boxes, ``(M,)`` int64, best score first.
    """
    if boxes.dtype in (torch.float16, torch.bfloat16):  # torchvision has neither on the CPU
        boxes, scores = boxes.float(), scores.float()
    if offset:
        boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
    # mmcv compares in single precision. Without this an IoU of exactly 0.6, which is slightly more
    # than 0.6 in float32, would be suppressed here and kept by mmcv.
    threshold = torch.tensor(iou_threshold, dtype=torch.float32).item()
    kept: Tensor = torchvision_nms(boxes, scores.to(boxes.dtype), threshold)
    return kept


def get_compiler_version() -> str:
    """What ``mmcv.utils.collect_env`` prints about the compiler."""
    return "none: operators by torchvision (fashionkp_mm.compat)"


def get_compiling_cuda_version() -> str:
    """What ``mmcv.utils.collect_env`` prints about CUDA."""
    return "none: operators by torchvision (fashionkp_mm.compat)"


def __getattr__(name: str) -> Callable[..., NoReturn]:
    """Give every other operator a body that says why it does not run."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def missing_operator(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"mmcv's operator '{name}' needs compiled mmcv; mmcv-lite is installed, for which"
            " fashionkp_mm provides only 'nms'. To have all operators, build mmcv:"
            " pip uninstall mmcv-lite; pip install --no-build-isolation 'mmcv>=2.1.0,<2.2.0'"
        )

    missing_operator.__name__ = missing_operator.__qualname__ = name
    return missing_operator
