"""What the detector learns where nothing is labelled: nothing."""

import pytest
import torch
from mmengine.registry import MODELS
from mmengine.structures import InstanceData

from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES
from fashionkp_mm.plugin.detection.head import known_classes

BOX = (40.0, 20.0, 80.0, 60.0)
CENTER, RIM, OUTSIDE = (60.0, 40.0), (42.0, 58.0), (100.0, 80.0)


def known(label, point, assigned=False):
    """The classes that are known at one prior, for one labelled garment."""
    (row,) = known_classes(
        torch.tensor([point]),
        torch.tensor([BOX]),
        torch.tensor([CATEGORY_INDEX[label]]),
        torch.tensor([assigned]),
    )
    return {name for name, flag in zip(CATEGORY_NAMES, row.tolist(), strict=True) if flag}


@pytest.mark.parametrize("point", [CENTER, RIM, OUTSIDE])
@pytest.mark.parametrize("label", CATEGORY_NAMES)
def test_the_labelled_class_is_known_everywhere(label, point):
    assert label in known(label, point)


@pytest.mark.parametrize("label", CATEGORY_NAMES)
def test_a_prior_of_the_garment_is_no_other_garments(label):
    assert known(label, OUTSIDE, assigned=True) == set(CATEGORY_NAMES)


def test_who_wears_a_skirt_wears_neither_dress_nor_trousers():
    assert known("skirt", OUTSIDE) == {"skirt", "dress", "trousers"}


def test_who_wears_a_dress_wears_neither_blouse_nor_skirt_nor_trousers():
    assert known("dress", OUTSIDE) == {"dress", "blouse", "skirt", "trousers"}


@pytest.mark.parametrize("lower", ["skirt", "trousers"])
def test_blouse_and_what_is_below_keep_out_of_each_others_middle_only(lower):
    for label, neighbour in (("blouse", lower), (lower, "blouse")):
        assert neighbour in known(label, CENTER)
        assert neighbour not in known(label, RIM)
        assert neighbour not in known(label, OUTSIDE)


@pytest.mark.parametrize("point", [CENTER, RIM, OUTSIDE])
def test_a_blouse_may_show_in_an_open_coat_and_a_coat_cover_a_blouse(point):
    assert "blouse" not in known("outwear", point)
    assert "outwear" not in known("blouse", point)


def test_several_labelled_garments_add_what_they_say():
    labels = torch.tensor([CATEGORY_INDEX["blouse"], CATEGORY_INDEX["skirt"]])
    (row,) = known_classes(
        torch.tensor([OUTSIDE]), torch.tensor([BOX, BOX]), labels, torch.tensor([False])
    )
    names = {name for name, flag in zip(CATEGORY_NAMES, row.tolist(), strict=True) if flag}
    assert names == {"blouse", "skirt", "dress", "trousers"}


def losses(head, category, scores, boxes=None):
    """The head's losses and the gradient of its class scores, for one garment in the middle."""
    feats = [torch.zeros(1, head.in_channels, 128 // s, 128 // s) for s in (8, 16, 32)]
    _, predicted = head(feats)
    logits = [
        scores.clone().reshape(1, -1, 1, 1).expand(1, -1, *f.shape[2:]).contiguous() for f in feats
    ]
    for level in logits:
        level.requires_grad_()
    truth = InstanceData(
        bboxes=torch.tensor([BOX]) if boxes is None else boxes,
        labels=torch.tensor([CATEGORY_INDEX[category]]),
    )
    meta = {"img_shape": (128, 128), "pad_shape": (128, 128)}
    result = head.loss_by_feat(logits, predicted, [truth], [meta])
    total = sum(result["loss_cls"])
    total.backward()
    return result, [level.grad[0] for level in logits]


def priors(shape, stride):
    ys, xs = torch.meshgrid(torch.arange(shape[0]), torch.arange(shape[1]), indexing="ij")
    return xs * stride, ys * stride


def test_an_unlabelled_garment_gets_no_gradient(detector):
    head = detector.bbox_head.train()
    _, gradients = losses(head, "skirt", torch.zeros(len(CATEGORY_NAMES)))
    for stride, gradient in zip((8, 16, 32), gradients, strict=True):
        xs, ys = priors(gradient.shape[1:], stride)
        outside = (xs < BOX[0]) | (xs > BOX[2]) | (ys < BOX[1]) | (ys > BOX[3])
        assert outside.any()
        for name in ("blouse", "outwear"):
            assert (gradient[CATEGORY_INDEX[name]][outside] == 0).all()
        for name in ("skirt", "trousers", "dress"):
            assert (gradient[CATEGORY_INDEX[name]][outside] > 0).all(), "background lowers it"


def test_the_labelled_garment_raises_its_class_and_lowers_all_others(detector):
    head = detector.bbox_head.train()
    # Below the overlap that the first boxes have by chance.
    scores = torch.full((len(CATEGORY_NAMES),), -4.0)
    _, gradients = losses(head, "outwear", scores)
    flat = torch.cat([gradient.flatten(1) for gradient in gradients], dim=1)
    assigned = flat[CATEGORY_INDEX["outwear"]] < 0
    assert assigned.any()
    for name in set(CATEGORY_NAMES) - {"outwear"}:
        row = flat[CATEGORY_INDEX[name]]
        assert (row[assigned] > 0).all()
        assert (row[~assigned] == 0).all(), f"nothing is known of a {name} beside a coat"


def test_the_loss_is_the_stock_heads_where_all_is_known(detector, monkeypatch):
    head = detector.bbox_head.train()
    scores = torch.linspace(-3, 1, len(CATEGORY_NAMES))
    everywhere = torch.ones(len(CATEGORY_NAMES), len(CATEGORY_NAMES), dtype=torch.bool)
    monkeypatch.setattr("fashionkp_mm.plugin.detection.head._KNOWN_EVERYWHERE", everywhere)
    ours, our_gradients = losses(head, "dress", scores)
    stock = type(head).__mro__[1]
    for name in ("_get_targets_single", "loss_by_feat_single"):
        monkeypatch.setattr(type(head), name, getattr(stock, name))
    theirs, their_gradients = losses(head, "dress", scores)
    for name, levels in theirs.items():
        for level, expected in zip(ours[name], levels, strict=True):
            torch.testing.assert_close(level, expected)
    for ours_level, expected in zip(our_gradients, their_gradients, strict=True):
        torch.testing.assert_close(ours_level, expected)


def test_the_first_boxes_have_a_garments_size(detector):
    head = detector.bbox_head.eval()
    feats = [torch.zeros(1, head.in_channels, 4, 4) for _ in range(3)]
    with torch.no_grad():
        _, distances = head(feats)
    for level in distances:
        torch.testing.assert_close(level, torch.full_like(level, 64.0), atol=1, rtol=0)


def test_another_number_of_classes_is_refused(detector_config):
    with pytest.raises(ValueError, match="num_classes is 80, expected 5"):
        MODELS.build({**detector_config.model.bbox_head, "num_classes": 80})
