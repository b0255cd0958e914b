"""What networks run on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import onnxruntime
import pytest

from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.runtime.devices import DeviceError, execution_providers, require_in_use

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


def test_the_cpu_is_always_there() -> None:
    assert execution_providers("cpu") == [CPU]


@pytest.mark.parametrize(("device", "number"), [("cuda", 0), ("cuda:0", 0), ("cuda:3", 3)])
def test_a_gpu_goes_by_its_number(
    device: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    assert execution_providers(device) == [(CUDA, {"device_id": number}), CPU]


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:x", "CPU", "cpu:0", "cuda:-1"])
def test_other_names_are_refused(device: str) -> None:
    with pytest.raises(DeviceError, match="expected cpu, cuda or cuda:N"):
        execution_providers(device)


def test_without_cuda_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    with pytest.raises(DeviceError, match="pip install onnxruntime-gpu"):
        execution_providers("cuda")


def test_a_session_that_fell_back_to_the_cpu_is_refused() -> None:
    require_in_use(SimpleNamespace(get_providers=lambda: [CUDA, CPU]), "cuda:1")
    require_in_use(SimpleNamespace(get_providers=lambda: [CPU]), "cpu")
    with pytest.raises(DeviceError, match="fell back to the CPU"):
        require_in_use(SimpleNamespace(get_providers=lambda: [CPU]), "cuda:1")


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="CUDA is there")
def test_a_predictor_says_so_as_it_is_made(pose_file: Path) -> None:
    with pytest.raises(DeviceError, match="device 'cuda' needs"):
        FashionPredictor(pose_file, device="cuda")
