"""OKS average precision with custom sigmas, against values worked out by hand."""

import json

import numpy as np
import pytest
from xtcocotools import mask
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

SIGMAS = np.array([0.1, 0.2])


def annotation(i: int, keypoints: list, **changed) -> dict:
    return {
        "id": i,
        "image_id": i,
        "category_id": 1,
        "bbox": [0, 0, 100, 100],
        "area": 10000.0,
        "iscrowd": 0,
        "num_keypoints": 2,
        "keypoints": keypoints,
        **changed,
    }


def coco(annotations: list) -> COCO:
    dataset = COCO()
    dataset.dataset = {
        "info": {},
        "images": [{"id": a["image_id"]} for a in annotations],
        "categories": [{"id": 1, "name": "blouse"}],
        "annotations": annotations,
    }
    dataset.createIndex()
    return dataset


def prediction(i: int, keypoints: list, score: float = 0.9) -> dict:
    return {"image_id": i, "category_id": 1, "keypoints": keypoints, "score": score}


def evaluated(annotations: list, predictions: list, **options) -> COCOeval:
    truth = coco(annotations)
    evaluation = COCOeval(truth, truth.loadRes(predictions), "keypoints", SIGMAS, **options)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def oks(evaluation: COCOeval, image: int = 1) -> float:
    return float(evaluation.ious[image, 1][0, 0])


def test_oks_of_custom_sigmas():
    # Both points 20 px off, area 100^2: exp(-20^2 / (2 * 10^4 * (2 * sigma)^2)), sigma 0.1 and 0.2:
    # exp(-0.5) = 0.60653 and exp(-0.125) = 0.88250; their mean is 0.74451.
    result = evaluated(
        [annotation(1, [10, 10, 2, 50, 50, 2])], [prediction(1, [30, 10, 1, 50, 70, 1])]
    )
    assert oks(result) == pytest.approx((np.exp(-0.5) + np.exp(-0.125)) / 2, abs=1e-12)
    # Right at the thresholds 0.50 to 0.70, five of ten; and wrong at 0.75.
    np.testing.assert_allclose(result.stats[:3], [0.5, 1, 0], atol=1e-9)


def test_area_from_the_box():
    # 0.53 * 100 * 100 in place of the area: the exponents grow by 1 / 0.53.
    result = evaluated(
        [annotation(1, [10, 10, 2, 50, 50, 2])],
        [prediction(1, [30, 10, 1, 50, 70, 1])],
        use_area=False,
    )
    expected = (np.exp(-0.5 / 0.53) + np.exp(-0.125 / 0.53)) / 2
    assert oks(result) == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(result.stats[:2], [0.2, 1], atol=1e-9)  # 0.5896: 0.50 and 0.55


def test_area_from_the_box_decides_what_is_large():
    # 130^2 * 0.53 = 8957 is "medium" (below 96^2 = 9216), the annotated 10000 is "large".
    truth = [annotation(1, [10, 10, 2, 50, 50, 2], bbox=[0, 0, 130, 130])]
    found = [prediction(1, [10, 10, 1, 50, 50, 1])]
    medium, large = slice(3, 4), slice(4, 5)
    by_area, by_box = evaluated(truth, found), evaluated(truth, found, use_area=False)
    np.testing.assert_allclose([*by_area.stats[medium], *by_area.stats[large]], [-1, 1], atol=1e-9)
    np.testing.assert_allclose([*by_box.stats[medium], *by_box.stats[large]], [1, -1], atol=1e-9)


def test_unlabelled_points_do_not_count():
    result = evaluated(
        [annotation(1, [10, 10, 2, 0, 0, 0])], [prediction(1, [30, 10, 1, 900, 900, 1])]
    )
    assert oks(result) == pytest.approx(np.exp(-0.5), abs=1e-12)


def test_precision_counts_the_better_scored_false_positive():
    # The wrong one comes first: precision 1/2 at every recall.
    result = evaluated(
        [annotation(1, [10, 10, 2, 50, 50, 2])],
        [
            prediction(1, [500, 500, 1, 500, 500, 1], score=0.9),
            prediction(1, [10, 10, 1, 50, 50, 1], score=0.8),
        ],
    )
    assert result.stats[0] == pytest.approx(0.5, abs=1e-9)


def test_labels_decide_what_is_ignored_not_num_keypoints():
    result = evaluated(
        [annotation(1, [10, 10, 2, 50, 50, 2], num_keypoints=0)],
        [prediction(1, [10, 10, 1, 50, 50, 1])],
    )
    assert result.stats[0] == pytest.approx(1, abs=1e-9)


def test_an_annotation_with_the_id_0_is_matched():
    result = evaluated(
        [annotation(0, [10, 10, 2, 50, 50, 2])], [prediction(0, [10, 10, 1, 50, 50, 1])]
    )
    assert result.stats[0] == pytest.approx(1, abs=1e-9)


def test_a_prediction_without_any_score_is_left_out():
    result = evaluated(
        [annotation(1, [10, 10, 2, 50, 50, 2])],
        [
            prediction(1, [500, 500, 0, 500, 500, 0], score=0.9),
            prediction(1, [10, 10, 1, 50, 50, 1], score=0.8),
        ],
    )
    assert result.stats[0] == pytest.approx(1, abs=1e-9)


def test_the_callers_annotations_stay_as_they_are():
    truth = [annotation(0, [10, 10, 2, 50, 50, 2])]
    evaluated(truth, [prediction(0, [10, 10, 1, 50, 50, 1])], use_area=False)
    assert (truth[0]["id"], truth[0]["area"]) == (0, 10000.0)


def test_other_kinds_of_evaluation_are_refused_by_name():
    with pytest.raises(NotImplementedError, match="'keypoints_crowd' needs the real xtcocotools"):
        COCOeval(None, None, "keypoints_crowd")


def test_annotations_may_lack_num_keypoints():
    truth = annotation(1, [10, 10, 2, 50, 50, 2])
    del truth["num_keypoints"]
    result = evaluated([truth], [prediction(1, [10, 10, 1, 50, 50, 1])])
    assert result.stats[0] == pytest.approx(1, abs=1e-9)


def test_there_may_be_no_predictions():
    result = evaluated([annotation(1, [10, 10, 2, 50, 50, 2])], [])
    assert result.stats[0] == pytest.approx(0, abs=1e-9)


def test_results_may_come_from_a_file_or_beside_its_name(tmp_path):
    found = [prediction(1, [10, 10, 1, 50, 50, 1])]
    path = tmp_path / "found.json"
    path.write_text(json.dumps(found))
    truth = coco([annotation(1, [10, 10, 2, 50, 50, 2])])
    assert truth.loadRes(str(path)).anns[1]["score"] == 0.9
    assert truth.loadRes("elsewhere.json", found).anns[1]["score"] == 0.9


def test_annotations_may_lack_iscrowd():
    truth = annotation(1, [10, 10, 2, 50, 50, 2])
    del truth["iscrowd"]
    result = evaluated([truth], [prediction(1, [10, 10, 1, 50, 50, 1])])
    assert result.stats[0] == pytest.approx(1, abs=1e-9)


def test_masks():
    triangle = mask.frPyObjects([[0, 0, 4, 0, 4, 4, 0, 4]], 8, 8)
    assert mask.decode(mask.merge(triangle)).sum() == 16
