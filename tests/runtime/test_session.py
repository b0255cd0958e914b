"""Only files that this runtime can run are opened; the others are refused with a reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from small_networks import (
    DETECTOR_SIZE,
    detector_metadata,
    pose_metadata,
    write_detector,
    write_pose_network,
)

from fashionkp_mm.runtime import FashionPredictor, GarmentDetector, ModelFileError
from fashionkp_mm.runtime.metadata import SimCCDecoder
from fashionkp_mm.runtime.session import open_session


def refused(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        FashionPredictor(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


def test_a_file_of_ours_is_opened(pose_file: Path) -> None:
    session, metadata = open_session(pose_file, threads=1)
    assert metadata == pose_metadata()
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert session.get_session_options().intra_op_num_threads == 1


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and two cores",
)
def test_threads_keep_to_the_cores_of_the_process(pose_file: Path) -> None:
    core = min(os.sched_getaffinity(0))
    program = (
        "import os, sys\n"
        f"os.sched_setaffinity(0, {{{core}}})\n"
        "from fashionkp_mm.runtime.session import open_session\n"
        "opened = open_session(sys.argv[1])\n"
        "threads = [int(name) for name in os.listdir('/proc/self/task')]\n"
        "print(set().union(*map(os.sched_getaffinity, threads)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, pose_file], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{{{core}}}\n"


def test_a_path_may_be_a_string(pose_file: Path) -> None:
    assert FashionPredictor(str(pose_file)).metadata == pose_metadata()


@pytest.mark.parametrize("threads", [0, -2])
def test_less_than_one_thread(pose_file: Path, threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads is {threads}, expected 1 or more"):
        FashionPredictor(pose_file, threads=threads)


def test_no_file(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "none.onnx")


def test_a_folder(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"image_id,x1\n", b"PK\3\4" + bytes(500), b"\0" * 99])
def test_no_onnx_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    assert "fashionkp export" in refused(path)


def test_a_file_that_ends_early_anywhere(tmp_path: Path, pose_file: Path) -> None:
    content = pose_file.read_bytes()
    path = tmp_path / "short.onnx"
    for length in range(0, len(content), max(1, len(content) // 60)):
        path.write_bytes(content[:length])
        assert "fashionkp export" in refused(path)
    path.write_bytes(content[:-1])
    assert "truncated" in refused(path)


def test_a_file_larger_than_onnx_files_are(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)
    assert "never larger than 2 GiB" in refused(path)


def test_metadata_that_is_no_text(tmp_path: Path, pose_file: Path) -> None:
    path = tmp_path / "bytes.onnx"
    path.write_bytes(pose_file.read_bytes().replace(b"Apache-2.0", b"Apache\xff2.0"))
    assert "damaged" in refused(path)


def test_somebody_elses_network(tmp_path: Path) -> None:
    path = write_pose_network(tmp_path / "theirs.onnx", metadata="")
    assert "not written by fashionkp_mm" in refused(path)


def test_a_detector_is_no_pose_network(detector_file: Path) -> None:
    assert "not a pose network, but a detector; give it as detector=" in refused(detector_file)


def test_a_file_for_rtmlib_is_not_for_here(tmp_path: Path) -> None:
    metadata = pose_metadata(kind="pose-rtmlib").to_json()
    path = write_pose_network(tmp_path / "rtmlib.onnx", metadata=metadata)
    assert "export once more without --rtmlib" in refused(path)


def test_a_pose_network_is_no_detector(pose_file: Path) -> None:
    with pytest.raises(ModelFileError, match="not a detector, but a pose; give it as model"):
        GarmentDetector(pose_file)
    with pytest.raises(ModelFileError, match="not a detector"):
        FashionPredictor(pose_file, detector=pose_file)


def test_metadata_of_another_file(tmp_path: Path) -> None:
    alike = pose_metadata(input_size=DETECTOR_SIZE).to_json()
    path = write_detector(tmp_path / "mixed.onnx", metadata=alike)
    assert "no input 'categories', only images" in refused(path)
    path = write_pose_network(tmp_path / "mixed.onnx", metadata=detector_metadata().to_json())
    with pytest.raises(ModelFileError, match="'images' is tensor"):
        GarmentDetector(path)


def test_vectors_of_another_length(tmp_path: Path) -> None:
    metadata = pose_metadata(decoder=SimCCDecoder(1.0)).to_json()
    path = write_pose_network(tmp_path / "longer.onnx", metadata=metadata)
    assert "'simcc_x' is tensor(float) ['batch', 24, 96], expected" in refused(path)


def changed(path: Path, pose_file: Path, change: str) -> Path:
    """The pose network with one thing wrong."""
    model = onnx.load(pose_file)
    images = model.graph.input[0]
    if change == "fixed batch":
        images.type.tensor_type.shape.dim[0].dim_value = 1
    elif change == "other size":
        images.type.tensor_type.shape.dim[1].dim_value = 99
    elif change == "another input":
        mask = model.graph.input.add()
        mask.CopyFrom(images)
        mask.name = "mask"
    elif change == "output missing":
        del model.graph.output[0]
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("fixed batch", "'images' is tensor(uint8) [1, 64, 48, 3]"),
        ("other size", "expected tensor(uint8) ['batch', 64, 48, 3] with a dynamic batch"),
        ("another input", "wants an input 'mask'"),
        ("output missing", "no output 'simcc_x', only simcc_y, "),
    ],
)
def test_a_graph_that_is_not_what_its_metadata_promises(
    tmp_path: Path, pose_file: Path, change: str, said: str
) -> None:
    assert said in refused(changed(tmp_path / "changed.onnx", pose_file, change))
