"""What a comparison of box sources runs and prints, and what it refuses."""

import copy
from pathlib import Path

import pytest
from mmengine.runner import Runner

from fashionkp_mm.training import arguments as launch
from fashionkp_mm.training.box_comparison import compare_boxes, comparison_table


@pytest.fixture
def cfg(demo_config, tmp_path):
    changed = copy.deepcopy(demo_config)
    changed.work_dir = str(tmp_path)
    changed.test_evaluator[0].submission_file = "entry.csv"
    changed.test_dataloader.dataset.data_root = "somewhere"
    return changed


@pytest.fixture
def tested(monkeypatch):
    """The configs that were tested, without testing them; the metrics number them."""
    configs = []

    class Recorder:
        def test(self):
            return {"fashionai/NE": float(len(configs))}

    def record(config):
        configs.append(config)
        return Recorder()

    monkeypatch.setattr(Runner, "from_cfg", staticmethod(record))
    return configs


def test_labels_and_whole_images_are_boxes_of_one_plain_test(cfg, tested):
    compare_boxes(cfg, ["whole", "label"])
    assert [c.test_dataloader.dataset.bbox_source for c in tested] == ["whole", "label"]
    assert [c.test_cfg for c in tested] == [cfg.test_cfg, cfg.test_cfg]


def test_the_others_are_tested_in_passes(cfg, tested):
    cfg.test_cfg = {"fp16": True}
    results = compare_boxes(cfg, ["refine", "label", "detector"], ("detector.py", "detector.pth"))
    refine, _, detector = (config.test_cfg for config in tested)
    assert refine == {"type": "PassesTestLoop", "boxes": "refine", "fp16": True}
    assert detector == {**refine, "boxes": "detector", "detector": ("detector.py", "detector.pth")}
    assert list(results) == ["refine", "label", "detector"]
    assert results["detector"] == {"fashionai/NE": 3.0}


def test_each_source_has_files_of_its_own(cfg, tested):
    compare_boxes(cfg, ["label", "whole"])
    assert [Path(config.work_dir).name for config in tested] == ["label", "whole"]
    entries = [config.test_evaluator[0]["submission_file"] for config in tested]
    assert entries == ["entry.label.csv", "entry.whole.csv"]
    assert cfg.test_evaluator[0].submission_file == "entry.csv", "the config is left as it was"


def test_a_column_each_source_and_a_row_each_figure():
    results = {
        "whole": {"fashionai/NE": 9.5, "fashionai/NE_skirt": 8.0, "fashionai/points": 7},
        "refine": {"fashionai/NE": 6.5, "fashionai/category_accuracy": 97.0},
    }
    table = comparison_table(results)
    assert list(table.columns) == ["whole", "refine"]
    assert list(table.index) == ["NE %", "NE % skirt", "category accuracy %"]
    assert table.loc["NE %"].tolist() == [9.5, 6.5]
    assert table.isna().loc["NE % skirt", "refine"]


def test_a_detector_has_to_be_named(capsys):
    for options in (["--boxes", "detector"], ["--detector", "c.py", "c.pth"]):
        with pytest.raises(SystemExit):
            launch.test(["config.py", "checkpoint.pth", *options])
        assert "belong together" in capsys.readouterr().err


def test_one_file_does_not_hold_several_tests(capsys):
    with pytest.raises(SystemExit):
        launch.test(["config.py", "checkpoint.pth", "--boxes", "label", "--dump", "all.pkl"])
    assert "--dump" in capsys.readouterr().err
