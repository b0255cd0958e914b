"""What a network runs on: a device's name, and ONNX Runtime's word for it."""

from __future__ import annotations

import re
from typing import Any

_NAME = re.compile(r"cpu|cuda(?::(\d{1,4}))?")
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class DeviceError(ValueError):
    """A device that does not exist, or that this installation of ONNX Runtime cannot use."""


def execution_providers(device: str) -> list[Any]:
    """ONNX Runtime's ``providers`` for a device.

    Args:
        device: ``cpu``, ``cuda`` for the first GPU, or ``cuda:1`` and so on.

    Raises:
        DeviceError: It is none of these, or ONNX Runtime was built without CUDA.
    """
    import onnxruntime  # noqa: PLC0415  It takes a while, and not every caller has need of it.

    match = _NAME.fullmatch(device)
    if match is None:
        raise DeviceError(f"there is no device {device!r}; expected cpu, cuda or cuda:N")
    if device == "cpu":
        return [_CPU]
    if _CUDA not in onnxruntime.get_available_providers():
        raise DeviceError(
            f"device {device!r} needs an ONNX Runtime that was built for CUDA, and the installed"
            " one was not: pip uninstall -y onnxruntime && pip install onnxruntime-gpu"
        )
    return [(_CUDA, {"device_id": int(match[1] or 0)}), _CPU]


def require_in_use(session: Any, device: str) -> None:
    """Check that a session runs where it was asked to: ONNX Runtime turns to the CPU by itself.

    Raises:
        DeviceError: It does not.
    """
    if device != "cpu" and _CUDA not in session.get_providers():
        raise DeviceError(
            f"device {device!r} cannot be used, ONNX Runtime fell back to the CPU: there is no such"
            " GPU, or its driver, CUDA and cuDNN do not fit the installed onnxruntime-gpu"
        )
