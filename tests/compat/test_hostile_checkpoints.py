"""Checkpoints made to cost time or memory are refused at once; damaged ones end in one message."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path

import hostile_checkpoints
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fashionkp_mm.compat.checkpoints import (
    CheckpointError,
    UnreadableCheckpointError,
    UnsafeCheckpointError,
    load_checkpoint_file,
)
from fashionkp_mm.compat.pickle_check import MAX_DEPTH

SECONDS = 10  # each; those that are refused by their opcodes take a hundredth of one
MEBIBYTES = 900

LOAD_ALL = f"""
import resource, signal, sys, time
import torch
from fashionkp_mm.compat.checkpoints import CheckpointError, load_checkpoint_file

def too_slow(*_):
    raise SystemExit("too slow")

signal.signal(signal.SIGALRM, too_slow)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + ({MEBIBYTES} << 20),) * 2)
for path in sys.argv[1:]:
    signal.alarm({SECONDS})
    try:
        load_checkpoint_file(path)
    except CheckpointError as error:
        print("refused", error, flush=True)
    else:
        print("loaded", path, flush=True)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return hostile_checkpoints.write(tmp_path_factory.mktemp("hostile"))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_each_is_refused_within_seconds_and_bounded_memory(files):
    run = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    outcomes = run.stdout.splitlines()
    assert run.returncode == 0, (list(hostile_checkpoints.HOSTILE)[len(outcomes)], run.stderr)
    for (what, _), path, outcome in zip(
        hostile_checkpoints.HOSTILE.items(), files, outcomes, strict=True
    ):
        assert outcome.startswith(f"refused {path}"), what
        # Memory that ran out was asked for first.
        assert "allocate" not in outcome, what
        assert "MemoryError" not in outcome, what


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("a key that takes ages to hash", "many of them the same ones again"),
        ("bytes of a number", "calls builtins.bytes with unusual arguments"),
        ("text encoded again and again", "calls _codecs.encode with unusual arguments"),
        ("a list that holds itself", f"nested more than {MAX_DEPTH} deep"),
        ("compressed", "unpacked, it would be larger than the file"),
        ("a tensor that repeats its data", "tensors are larger than the file"),
        ("a tensor larger than its data", "reaches beyond its data"),
        ("sparse", "it holds a sparse tensor"),
    ],
)
def test_the_reason_is_told(files, what, reason):
    path = files[list(hostile_checkpoints.HOSTILE).index(what)]
    with pytest.raises(UnsafeCheckpointError, match=reason):
        load_checkpoint_file(path)


def test_a_single_bit_of_a_weight_is_not_lost_without_a_word(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"state_dict": {"weight": torch.full((64,), 1.5)}}, path)
    content = bytearray(path.read_bytes())
    content[content.index(bytes(torch.full((64,), 1.5).numpy())) + 3] ^= 1
    path.write_bytes(content)
    # Stock torch reads it, or there would be nothing to notice.
    assert not torch.equal(torch.load(path)["state_dict"]["weight"], torch.full((64,), 1.5))

    with pytest.raises(UnreadableCheckpointError, match="data/0 is damaged"):
        load_checkpoint_file(path)


@pytest.mark.parametrize("what", ["cut short", "an old one cut short", "tar", "text", "empty"])
def test_a_damaged_file_is_called_unreadable(files, what):
    path = files[list(hostile_checkpoints.HOSTILE).index(what)]
    with pytest.raises(UnreadableCheckpointError, match="not a readable checkpoint"):
        load_checkpoint_file(path)


PLAIN = {
    "nothing": None,
    "nested": {"a": [1, (2.5, None, True), {"b": {3, 4}}]},
    "keys": {1: "a", 2.5: "b", ("c", (1, 2)): "d", None: 0},
    "bytes": [b"", b"\x00\xff", bytearray(b"ab"), bytearray()],
    "large numbers": [2**61, -(2**100), 1e300],
    "complex": 1 + 2j,
    "torch's": [torch.Size([2, 3]), torch.device("cpu"), torch.device("cuda", 1)],
    "dtypes": torch.float16,
    "a tuple a thousand times": [("red", (255, 0, 0))] * 1000,
    "a wide tuple": tuple(range(100_000)),
    "empty": [{}, [], (), set()],
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_data_loads_as_it_was(tmp_path, name, zipped):
    path = tmp_path / "w.pth"
    torch.save(PLAIN[name], path, _use_new_zipfile_serialization=zipped)
    assert load_checkpoint_file(path) == PLAIN[name]


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_of_every_kind_load_as_they_were(tmp_path, zipped):
    base = torch.arange(24.0)
    saved = {
        **{str(dtype): torch.ones(2, dtype=dtype) for dtype in (
            torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
            torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64,
        )},
        "scalar": torch.tensor(3.0),
        "no elements": torch.zeros(0, 5),
        "a part": base[3:7],
        "shared": base,
        "turned": base.view(4, 6).T,
        "repeated": torch.ones(1).expand(1000),
        "a parameter": torch.nn.Parameter(torch.ones(3)),
    }  # fmt: skip
    torch.save(saved, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    loaded = load_checkpoint_file(tmp_path / "w.pth")
    assert loaded.keys() == saved.keys()
    for name, value in saved.items():
        assert loaded[name].dtype == value.dtype
        assert torch.equal(loaded[name], value), name
    assert loaded["a part"].untyped_storage().data_ptr() == (
        loaded["shared"].untyped_storage().data_ptr()
    )


def test_a_whole_training_state_loads(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    state = {"state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(state, tmp_path / "w.pth")
    loaded = load_checkpoint_file(tmp_path / "w.pth")
    assert loaded["state_dict"]._metadata == state["state_dict"]._metadata
    assert loaded["optimizer"]["param_groups"] == state["optimizer"]["param_groups"]


def saved_as(zipped: bool) -> bytes:
    buffer = io.BytesIO()
    value = {
        "meta": {"epoch": 3, "names": ("a", "b"), "raw": b"\x01\x02"},
        "state_dict": {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2)},
    }
    torch.save(value, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


GOOD = {zipped: saved_as(zipped) for zipped in (True, False)}

opcodes = st.sampled_from(
    [bytes([code]) for code in b"().0NQRbest}]\x81\x85\x86\x87\x88\x89au"]
    + [bytes([code, n]) for code in b"qhK" for n in range(4)]
    + [hostile_checkpoints.name(*names) for names in (
        ("torch", "FloatStorage"), ("torch._utils", "_rebuild_tensor_v2"), ("torch", "Size"),
        ("collections", "OrderedDict"), ("collections", "Counter"), ("__builtin__", "set"),
        ("__builtin__", "bytes"), ("__builtin__", "bytearray"), ("_codecs", "encode"),
        ("numpy", "dtype"), ("numpy", "ndarray"), ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"), ("__builtin__", "getattr"),
        ("mmengine.logging.history_buffer", "HistoryBuffer"),
    )]
    + [hostile_checkpoints.text(value) for value in ("storage", "0", "cpu", "f4", "O8", "latin1")]
    + [hostile_checkpoints.number(value) for value in (-1, 7, 2**31, 2**62, 10**18)]
)  # fmt: skip


def outcome(path: Path, content: bytes) -> None:
    """Loading may succeed or be refused, and nothing else."""
    path.write_bytes(content)
    try:
        load_checkpoint_file(path)
    except CheckpointError as error:
        assert str(path) in str(error)
        assert "weights_only=False" not in str(error)


fuzz = settings(
    max_examples=150, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzz
@given(body=st.lists(opcodes, max_size=40).map(b"".join), zipped=st.booleans())
def test_any_opcodes_end_in_data_or_one_message(tmp_path, body, zipped):
    whole = hostile_checkpoints.archive if zipped else hostile_checkpoints.stream
    outcome(tmp_path / "w.pth", whole(body))


@fuzz
@given(data=st.data(), zipped=st.booleans())
def test_any_damage_ends_in_data_or_one_message(tmp_path, data, zipped):
    content = bytearray(GOOD[zipped])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    outcome(tmp_path / "w.pth", bytes(content))


def test_the_pickles_of_the_helpers_are_what_they_seem():
    # Or the attacks above would be refused for their form.
    assert pickle.loads(b"\x80\x02" + hostile_checkpoints.nested(2) + b".") == (((), ()), ((), ()))
