"""What a model file says of itself is read back, and refused where it makes no sense here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_networks import detector_metadata, pose_metadata

from fashionkp_mm import __version__
from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_NAMES
from fashionkp_mm.runtime.metadata import (
    METADATA_KEY,
    CentroidHeatmapDecoder,
    ModelFileError,
    UDPHeatmapDecoder,
    read_metadata,
)

HEATMAPS = pose_metadata(decoder=UDPHeatmapDecoder((12, 16), sigma=1.5, blur_kernel_size=9))
CENTROIDS = pose_metadata(decoder=CentroidHeatmapDecoder((12, 16), power=3, floor=0.1))
RTMLIB = pose_metadata(kind="pose-rtmlib")


@pytest.mark.parametrize(
    "written", [pose_metadata(), HEATMAPS, CENTROIDS, RTMLIB, detector_metadata()]
)
def test_what_is_written_is_read_back(written: Any) -> None:
    assert read_metadata({METADATA_KEY: written.to_json()}, "m.onnx") == written


def test_a_pose_file_says_all_that_others_need() -> None:
    facts = json.loads(pose_metadata().to_json())
    assert facts["keypoint_names"] == list(KEYPOINT_NAMES)
    assert facts["categories"]["skirt"] == list(CATEGORIES["skirt"].keypoints)
    assert facts["decoder"] == {"type": "SimCCLabel", "simcc_split_ratio": 2}
    assert facts["input_size"] == [48, 64]
    assert (facts["format_version"], facts["version"]) == (1, __version__)


def refused(facts: Any) -> str:
    text = facts if isinstance(facts, str) else json.dumps(facts)
    with pytest.raises(ModelFileError) as caught:
        read_metadata({METADATA_KEY: text}, "m.onnx")
    message = str(caught.value)
    assert message.startswith("m.onnx: ")
    assert "fashionkp export" in message or "train and export" in message
    return message


def test_a_file_without_our_key_is_not_ours() -> None:
    with pytest.raises(ModelFileError, match="not written by fashionkp_mm"):
        read_metadata({"stride": "32"}, "yolo.onnx")


@pytest.mark.parametrize("text", ["{", "", "[1]", "7"])
def test_text_that_is_no_object(text: str) -> None:
    assert f"metadata '{METADATA_KEY}' is" in refused(text)


def test_another_format_version_names_the_writer() -> None:
    facts = {**json.loads(pose_metadata().to_json()), "format_version": 2, "version": "9.1.0"}
    message = refused(facts)
    assert "written by fashionkp_mm 9.1.0 in format version 2" in message
    assert f"this is fashionkp_mm {__version__}, which reads format version 1" in message


def test_a_future_format_may_look_quite_different() -> None:
    assert "of an unknown version in format version 7" in refused({"format_version": 7})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "segmenter"}, "kind = 'segmenter', expected one of pose, pose-rtmlib, detector"),
        ({"kind": None}, "kind = None, expected a text"),
        ({"name": 7}, "name = 7, expected a text"),
        ({"input_size": [48]}, "input_size = [48], expected width and height"),
        ({"input_size": [48, -1]}, "input_size = [48, -1], expected width and height"),
        ({"input_size": [48.5, 64]}, "expected width and height"),
        (
            {"input_size": [48, 10**6]},
            "[48, 1000000], expected width and height, each from 2 to 2048",
        ),
        ({"bbox_padding": 0}, "bbox_padding = 0, expected a number from 0.1"),
        ({"bbox_padding": True}, "bbox_padding = True, expected a number from 0.1"),
        ({"bbox_padding": "1"}, "bbox_padding = '1', expected a number from 0.1"),
        ({"bbox_padding": 1e30}, "bbox_padding = 1e+30, expected a number from 0.1 to 10"),
        ({"bbox_padding": 1e-9}, "bbox_padding = 1e-09, expected a number from 0.1"),
        ({"bbox_padding": 10**400}, "expected a number from 0.1 to 10"),
        ({"bbox_padding": float("nan")}, "bbox_padding = nan, expected a number from 0.1"),
        ({"format_version": True}, "in format version True"),
        ({"decoder": "SimCCLabel"}, "decoder = 'SimCCLabel', expected an object"),
        ({"decoder": {"type": "MegviiHeatmap"}}, "decoder.type = 'MegviiHeatmap', expected SimCC"),
        ({"decoder": {"type": "SimCCLabel"}}, "lacks 'decoder.simcc_split_ratio'"),
        (
            {
                "decoder": {
                    "type": "UDPHeatmap",
                    "heatmap_size": [12, 16],
                    "sigma": 2,
                    "blur_kernel_size": 10,
                }
            },
            "decoder.blur_kernel_size = 10, expected an odd number",
        ),
        (
            {
                "decoder": {
                    "type": "UDPHeatmap",
                    "heatmap_size": [12, 16],
                    "sigma": 2,
                    "blur_kernel_size": 10**9 + 1,
                }
            },
            "decoder.blur_kernel_size = 1000000001, expected a number from 1 to 99",
        ),
        (
            {"decoder": {"type": "CentroidHeatmap", "heatmap_size": [12, 16], "power": 0}},
            "decoder.power = 0, expected a number from 0.1",
        ),
    ],
)
def test_facts_that_make_no_sense(change: dict[str, Any], said: str) -> None:
    assert said in refused({**json.loads(pose_metadata().to_json()), **change})


@pytest.mark.parametrize("threshold", [0, 1.5, float("inf"), "high"])
def test_a_threshold_out_of_range(threshold: Any) -> None:
    facts = {**json.loads(detector_metadata().to_json()), "iou_threshold": threshold}
    assert "iou_threshold" in refused(facts)


def test_a_score_that_lets_everything_through() -> None:
    facts = {**json.loads(detector_metadata().to_json()), "score_threshold": 1e-300}
    assert "score_threshold = 1e-300, expected a number from 0.001 to 1" in refused(facts)


@pytest.mark.parametrize("text", ["[" * 50_000, '{"kind":' * 10_000])
def test_text_that_is_nested_deeply(text: str) -> None:
    assert "nested too deeply" in refused(text)


def test_text_that_is_too_long() -> None:
    assert "has 100,002 characters, expected 100,000 at most" in refused(json.dumps("x" * 100_000))


@pytest.mark.parametrize("value", ["x" * 50_000, ["x"] * 10_000, json.loads("[" * 90 + "]" * 90)])
@pytest.mark.parametrize("key", ["kind", "input_size", "decoder", "keypoint_names", "version"])
def test_a_value_without_end_makes_no_message_without_end(key: str, value: Any) -> None:
    facts = {**json.loads(pose_metadata().to_json()), key: value}
    if key == "version":
        facts["format_version"] = value
    assert len(refused(facts)) < 2000


@pytest.mark.parametrize("key", sorted(json.loads(pose_metadata().to_json())))
def test_a_missing_fact_is_named(key: str) -> None:
    facts = json.loads(pose_metadata().to_json())
    del facts[key]
    if key != "format_version":
        assert f"lacks '{key}'" in refused(facts)
    else:
        assert "format version None" in refused(facts)


def test_other_keypoints_are_refused_by_name() -> None:
    facts = json.loads(pose_metadata().to_json())
    facts["keypoint_names"] = [*KEYPOINT_NAMES[:-1], "pocket"]
    message = refused(facts)
    assert "other keypoints than this package: it lacks bottom_right_out; it adds pocket" in message


def test_another_order_is_another_meaning() -> None:
    facts = json.loads(pose_metadata().to_json())
    facts["keypoint_names"] = list(reversed(KEYPOINT_NAMES))
    assert "in another order, bottom_right_out, " in refused(facts)
    facts = json.loads(pose_metadata().to_json())
    facts["categories"] = dict(reversed(facts["categories"].items()))
    assert "in another order, trousers, " in refused(facts)


def test_other_points_of_a_category_are_refused_by_name() -> None:
    facts = json.loads(pose_metadata().to_json())
    facts["categories"]["skirt"] = facts["categories"]["skirt"][:2]
    assert "other categories than this package: other keypoints for skirt" in refused(facts)


def test_a_detector_of_other_categories_is_refused() -> None:
    facts = json.loads(detector_metadata().to_json())
    facts["categories"].append("jumpsuit")
    assert "other categories than this package: it adds jumpsuit" in refused(facts)
