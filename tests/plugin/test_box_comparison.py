"""What a comparison of box sources runs and prints, and what it refuses."""

import copy
from pathlib import Path

import pytest
from mmengine.runner import Runner

from fashionkp_mm import launch
from fashionkp_mm.core.boxes import REFINEMENTS
from fashionkp_mm.plugin.box_comparison import compare_boxes, comparison_table
from fashionkp_mm.plugin.detection import detected_boxes


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


def box_sources(configs):
    return [Path(config.test_dataloader.dataset.bbox_source).name for config in configs]


def refined_files(config):
    return [e["file"] for e in config.test_evaluator if e["type"] == "RefinedBoxes"]


def test_each_look_takes_the_boxes_of_the_one_before(cfg, tested):
    results = compare_boxes(cfg, ["refine", "label"])
    refined = [f"refined_{number}.csv" for number in range(1, REFINEMENTS + 1)]
    assert box_sources(tested) == ["label", "whole", *refined]
    written = [[Path(file).name for file in refined_files(config)] for config in tested]
    assert written == [[], *([name] for name in refined), []]
    assert list(results) == ["refine", "label"]
    assert results["refine"] == {"fashionai/NE": float(len(tested))}


def test_the_last_look_hears_those_refined_before_it(cfg, tested):
    compare_boxes(cfg, ["refine"])
    whole, *looks, last = [config.test_evaluator for config in tested]
    kept = [metric["looks_file"] for evaluator in looks for metric in evaluator[:1]]
    assert len(kept) == REFINEMENTS - 1
    assert last[0] == {"type": "MergedLooks", "looks_files": kept}
    assert "looks_file" not in whole[0], "the whole picture has no say in the points"


def test_each_source_has_files_of_its_own(cfg, tested):
    compare_boxes(cfg, ["label", "whole"])
    assert [Path(config.work_dir).name for config in tested] == ["label", "whole"]
    entries = [config.test_evaluator[-2]["submission_file"] for config in tested]
    assert entries == ["entry.label.csv", "entry.whole.csv"]
    assert cfg.test_evaluator[0].submission_file == "entry.csv", "the config is left as it was"


@pytest.mark.parametrize("given", [True, False])
def test_the_detector_sees_the_same_images(given, cfg, tested, monkeypatch):
    calls = []
    monkeypatch.setattr(
        detected_boxes, "write_detected_boxes", lambda *args, **kwargs: calls.append((args, kwargs))
    )
    cfg.test_dataloader.dataset.category_given = given
    compare_boxes(cfg, ["detector"], ("detector.py", "detector.pth"))
    ((config, checkpoint, out), options) = calls[0]
    assert (config, checkpoint) == ("detector.py", "detector.pth")
    assert options["category_given"] is given
    assert options["dataset"]["data_root"] == "somewhere"
    assert options["dataset"]["ann_file"] == cfg.test_dataloader.dataset.ann_file
    assert tested[0].test_dataloader.dataset.bbox_source == str(out)


def test_a_detectors_box_is_the_first_of_the_looks_that_are_merged(cfg, tested, monkeypatch):
    monkeypatch.setattr(detected_boxes, "write_detected_boxes", lambda *args, **kwargs: None)
    results = compare_boxes(cfg, ["detector", "refine"], ("detector.py", "detector.pth"))
    tests = tested[-REFINEMENTS:]
    assert box_sources(tests) == [f"detected_{number}.csv" for number in range(1, REFINEMENTS + 1)]
    *looks, last = [config.test_evaluator[0] for config in tests]
    assert [look["file"] for look in looks] == [
        config.test_dataloader.dataset.bbox_source for config in tests[1:]
    ]
    merged = {"type": "MergedLooks", "looks_files": [look["looks_file"] for look in looks]}
    assert last == merged
    assert results["detector"] == {"fashionai/NE": float(len(tested))}
    files = {
        file
        for config in tested
        for metric in config.test_evaluator
        if metric["type"] == "RefinedBoxes"
        for file in (metric["file"], metric.get("looks_file"))
        if file is not None
    }
    # Two files a look of both sources, and one of the whole picture, which has no say.
    assert len(files) == 2 * 2 * (REFINEMENTS - 1) + 1


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


def test_a_detector_has_to_be_named(cfg, capsys):
    with pytest.raises(ValueError, match="need a detector"):
        compare_boxes(cfg, ["label", "detector"])
    for options in (["--boxes", "detector"], ["--detector", "c.py", "c.pth"]):
        with pytest.raises(SystemExit):
            launch.test(["config.py", "checkpoint.pth", *options])
        assert "belong together" in capsys.readouterr().err


def test_one_file_does_not_hold_several_tests(capsys):
    with pytest.raises(SystemExit):
        launch.test(["config.py", "checkpoint.pth", "--boxes", "label", "--dump", "all.pkl"])
    assert "--dump" in capsys.readouterr().err
