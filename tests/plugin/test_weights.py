"""The weights of a checkpoint: found, and compared with the model's."""

from __future__ import annotations

import pytest
import torch

from fashionkp_mm.plugin.weights import WeightsError, read_checkpoint, require_match, weights_of

OWN = {"a": torch.zeros(2, 3), "b": torch.zeros(3), "n": torch.tensor(0)}


def test_weights_are_found_in_either_place():
    tensor = torch.ones(1)
    assert weights_of({"state_dict": {"module.a": tensor}, "meta": {}}, "x") == {"a": tensor}
    assert weights_of({"a": tensor}, "x") == {"a": tensor}


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, {"meta": {}}, {"state_dict": {1: 2}}])
def test_a_checkpoint_without_weights(content):
    with pytest.raises(WeightsError, match=r"x\.pth: there are no weights in it"):
        weights_of(content, "x.pth")


@pytest.mark.parametrize("stated", [None, [1], "text", torch.zeros(2)])
def test_a_state_dict_that_is_none(stated):
    with pytest.raises(WeightsError, match=r"x\.pth: its state_dict is of type \w+"):
        weights_of({"state_dict": stated}, "x.pth")


@pytest.mark.parametrize("content", [None, 3, [torch.zeros(2)], torch.zeros(2)])
def test_a_file_that_is_no_dictionary(tmp_path, content):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"x\.pth: holds a \w+, no weights"):
        read_checkpoint(tmp_path / "x.pth")


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.pth: does not exist"):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="is a folder"):
        read_checkpoint(tmp_path)


def test_other_precision_fits():
    weights = {"a": torch.zeros(2, 3, dtype=torch.float16), "b": torch.zeros(3).double()}
    require_match(OWN, {**weights, "n": torch.tensor(0, dtype=torch.int32)}, "c.py", "x.pth")


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({**OWN, "a": torch.zeros(3, 2)}, r"a is float32 \(3, 2\) instead of float32 \(2, 3\)"),
        ({**OWN, "a": torch.zeros(2, 3, dtype=torch.complex64)}, r"a is complex64 \(2, 3\)"),
        ({**OWN, "a": torch.zeros(2, 3, dtype=torch.int8)}, r"a is int8 \(2, 3\) instead"),
        ({"a": OWN["a"], "b": OWN["b"]}, r"1 missing \(n\)"),
        ({**OWN, "more": torch.zeros(1)}, r"1 not the model's \(more\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(weights, said):
    with pytest.raises(WeightsError, match=rf"x\.pth does not belong to c\.py: .*{said}"):
        require_match(OWN, weights, "c.py", "x.pth")


def test_more_may_be_allowed():
    require_match(OWN, {**OWN, "more": torch.zeros(1)}, "c.py", "x.pth", more=True)
