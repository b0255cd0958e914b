"""What an exported file says of where its weights come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config
from torch import nn

from fashionkp_mm.exporting.provenance import provenance
from fashionkp_mm.exporting.trained import TrainedModel

CONFIG = """
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file='/home/somebody/data/train/Annotations/train.csv', type='FashionAIDataset'))
"""
META = {"epoch": 30, "cfg": CONFIG, "dataset_meta": {"dataset_name": "fashionai"}}


def trained(**meta):
    model = nn.Identity()
    return TrainedModel(Path("rtmpose_fashion.py"), Config(), Path("a.pth"), meta, model)


def test_a_checkpoint_that_says_nothing_is_unknown():
    said = provenance(trained())
    assert said.training_data == said.licence == "unknown: not stated in the checkpoint"


def test_what_the_checkpoint_says_is_quoted():
    assert provenance(trained(**META)).training_data == (
        "as the checkpoint says: data set 'fashionai', annotations train/Annotations/train.csv,"
        " config rtmpose_fashion, 30 epochs"
    )


def test_whose_machine_it_was_is_left_out():
    assert "somebody" not in provenance(trained(**META)).training_data


def test_weights_that_may_be_of_fashionai_carry_its_terms():
    licence = provenance(trained(**META)).licence
    assert licence.startswith("unknown: not stated in the checkpoint.")
    assert "for research only" in licence


def test_what_the_caller_says_goes_first():
    said = provenance(trained(**META), "drawn garments", "CC0")
    assert (said.training_data, said.licence) == ("drawn garments", "CC0")


def test_the_config_in_a_checkpoint_is_not_run(tmp_path):
    mark = tmp_path / "mark"
    config = f"open({str(mark)!r}, 'w').close()\n{CONFIG}"
    said = provenance(trained(**{**META, "cfg": config}))
    assert "annotations train/Annotations/train.csv" in said.training_data
    assert not mark.exists()


@pytest.mark.parametrize("config", ["(", "a\0b", 3, None, "train_dataloader = 1"])
def test_a_config_that_cannot_be_read_is_passed_over(config):
    assert "annotations" not in provenance(trained(**{**META, "cfg": config})).training_data
