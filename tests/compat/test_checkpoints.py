"""Checkpoints are data: what OpenMMLab writes loads, what would run code does not."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, load_from_http

from fashionkp_mm.compat.checkpoints import UnsafeCheckpointError


def load(path):
    return CheckpointLoader.load_checkpoint(str(path), map_location="cpu", logger="silent")


class RunsOnLoad:
    """What an attacker pickles: a call of any function with any arguments."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function", [os.mkdir, Path.mkdir, eval, getattr])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_malicious_file_is_refused_and_not_executed(tmp_path, function, zipped):
    trace = tmp_path / "trace"
    arguments = {
        os.mkdir: (str(trace),),
        Path.mkdir: (trace,),
        eval: (f"__import__('os').mkdir({str(trace)!r})",),
        getattr: (np.ndarray, "tofile"),
    }[function]
    bomb = RunsOnLoad(function, *arguments)
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": {}, "meta": bomb}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeCheckpointError) as refused:
        load(path)
    message = str(refused.value)
    assert str(path) in message
    assert "torch.save({'state_dict'" in message
    assert "weights_only=False" not in message
    assert "add_safe_globals" not in message
    assert not trace.exists()
    # The same file does run where it is trusted, or this test would prove nothing.
    torch.load(path, weights_only=False)
    assert trace.exists() or function is getattr


def test_the_offending_name_is_told(tmp_path):
    torch.save({"meta": RunsOnLoad(os.mkdir, "x")}, tmp_path / "w.pth")
    with pytest.raises(UnsafeCheckpointError, match=r"posix\.mkdir"):
        load(tmp_path / "w.pth")


def test_torchs_own_switch_does_not_open_the_door(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    trace = tmp_path / "trace"
    torch.save({"meta": RunsOnLoad(os.mkdir, str(trace))}, tmp_path / "w.pth")
    with pytest.raises(UnsafeCheckpointError):
        load(tmp_path / "w.pth")
    assert not trace.exists()


def test_a_download_is_loaded_as_data_too(tmp_path):
    trace = tmp_path / "trace"
    torch.save({"meta": RunsOnLoad(os.mkdir, str(trace))}, tmp_path / "w.pth")
    url = "http://localhost:1/w.pth"  # found in the cache, so nobody is asked
    with pytest.raises(UnsafeCheckpointError, match=url):
        load_from_http(url, model_dir=str(tmp_path))
    assert not trace.exists()


class ForgedDtype:
    """A structured dtype that says it holds no objects, so that bytes are taken for pointers."""

    def __reduce__(self):
        dtype = np.dtype([("a", "O")])
        _function, arguments, state = dtype.__reduce__()
        return np.dtype, arguments, (*state[:-1], 0)


class ArrayOfPointers:
    def __reduce__(self):
        state = (1, (1,), ForgedDtype(), False, b"\x41" * 8)
        return np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), state


def test_an_array_with_a_forged_type_is_refused(tmp_path):
    torch.save({"meta": ArrayOfPointers()}, tmp_path / "w.pth")
    with pytest.raises(UnsafeCheckpointError, match="unusual type 'V8'"):
        load(tmp_path / "w.pth")


ARRAYS = {
    "float32": np.float32([[1.5, -2], [0, np.inf]]),
    "uint8": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "big-endian": np.array([1, 2], dtype=">i4"),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "bool": np.array([True, False]),
    "text": np.array(["neckline_left", "hem"]),
    "objects": np.array(["a", None, [1, 2]], dtype=object),
    "empty": np.zeros((0, 4)),
    "no axes": np.array(3.0),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_load_as_they_were(tmp_path, name):
    torch.save({"meta": {"nested": [(ARRAYS[name],)]}}, tmp_path / "w.pth")
    loaded = load(tmp_path / "w.pth")["meta"]["nested"][0][0]
    assert type(loaded) is np.ndarray
    assert loaded.dtype == ARRAYS[name].dtype
    np.testing.assert_array_equal(loaded, ARRAYS[name])


@pytest.mark.parametrize("name", ["float32", ">i4", "U7", "bool", "object"])
def test_types_of_arrays_load_as_they_were(tmp_path, name):
    torch.save({"meta": {"dtype": np.dtype(name), "listed": [np.dtype(name)]}}, tmp_path / "w.pth")
    loaded = load(tmp_path / "w.pth")["meta"]
    assert isinstance(loaded["dtype"], np.dtype)
    assert loaded == {"dtype": np.dtype(name), "listed": [np.dtype(name)]}


def test_arrays_load_in_the_attributes_of_a_state_dictionary_too(tmp_path):
    state_dict = OrderedDict(weight=torch.zeros(1))
    state_dict._metadata = {"": {"means": np.arange(3)}}
    torch.save({"state_dict": state_dict}, tmp_path / "w.pth")
    loaded = load(tmp_path / "w.pth")["state_dict"]._metadata[""]["means"]
    np.testing.assert_array_equal(loaded, np.arange(3))


def test_arrays_of_numpy_1_load(tmp_path, monkeypatch):
    # NumPy 1 wrote "numpy.core", as in most published weights. torch.save writes what the function
    # says its module is.
    monkeypatch.setattr(np._core.multiarray._reconstruct, "__module__", "numpy.core.multiarray")
    torch.save({"meta": np.arange(3)}, tmp_path / "w.pth")
    assert b"numpy.core.multiarray" in (tmp_path / "w.pth").read_bytes()
    np.testing.assert_array_equal(load(tmp_path / "w.pth")["meta"], [0, 1, 2])


def test_what_mmengine_itself_saves_loads(tmp_path):
    state_dict = OrderedDict(weight=torch.arange(3.0))
    state_dict._metadata = {"": {"version": 1}}
    checkpoint = {
        "meta": {"epoch": 3, "dataset_meta": {"sigmas": np.full(24, 0.05)}},
        "state_dict": state_dict,
        "message_hub": {
            "log_scalars": OrderedDict(loss=HistoryBuffer([3.0, 2.0], [1, 1])),
            "runtime_info": {"best_score": np.float64(4.5)},
            "resumed_keys": {"loss": True},
        },
    }
    torch.save(checkpoint, tmp_path / "epoch_3.pth")
    # Stock torch refuses this file, or there would be nothing to patch.
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "epoch_3.pth", weights_only=True)

    loaded = load(tmp_path / "epoch_3.pth")
    assert loaded["state_dict"]._metadata == {"": {"version": 1}}
    assert torch.equal(loaded["state_dict"]["weight"], torch.arange(3.0))
    assert loaded["message_hub"]["runtime_info"] == {"best_score": 4.5}
    history = loaded["message_hub"]["log_scalars"]["loss"]
    assert isinstance(history, HistoryBuffer)
    assert history.mean() == 2.5
    np.testing.assert_array_equal(loaded["meta"]["dataset_meta"]["sigmas"], np.full(24, 0.05))


def test_nothing_stays_allowed_after_loading(tmp_path):
    torch.save({"meta": np.arange(3)}, tmp_path / "w.pth")
    before = set(torch.serialization.get_safe_globals())
    load(tmp_path / "w.pth")
    assert set(torch.serialization.get_safe_globals()) == before


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        load(tmp_path / "none.pth")
