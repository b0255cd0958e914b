"""Category and visibility beside the points, with any of MMPose's heads."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpose.models import build_pose_estimator
from mmpose.registry import MODELS

from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.plugin.garment_head import GarmentHead, choose_category

CONFIGS = Path(__file__).parents[2] / "configs"
SKIRT = CATEGORY_NAMES.index("skirt")
DRESS = CATEGORY_NAMES.index("dress")


@pytest.fixture
def build(demo_config):
    """Makes the smallest model; keyword arguments change its head."""

    def make(**changes):
        config = copy.deepcopy(demo_config.model)
        config.backbone.init_cfg = None
        config.head.update(changes)
        torch.manual_seed(0)
        model = build_pose_estimator(config).eval()
        # As if trained: a fresh head is indifferent to the category and to where it looks.
        if model.head.condition is not None:
            torch.nn.init.normal_(model.head.condition.restore.weight, std=0.5)
        torch.nn.init.normal_(model.head.visibility.local)
        return model

    return make


@pytest.fixture
def item(drawn_dataset):
    return drawn_dataset("val")[0]


def predict(model, item):
    with torch.no_grad():
        (sample,) = model.test_step(pseudo_collate([copy.deepcopy(item)]))
    return sample.pred_instances


def with_category(item, index):
    changed = copy.deepcopy(item)
    if index is None:
        del changed["data_samples"].gt_instances.category_indices
    else:
        changed["data_samples"].gt_instances.category_indices = np.array([index])
    return changed


def test_a_fresh_head_finds_the_points_that_the_wrapped_head_finds(demo_config):
    torch.manual_seed(0)
    head = MODELS.build(demo_config.model.head).eval()
    feats = (torch.rand(3, head.pose_head.in_channels, 4, 4),)
    expected = head.pose_head.forward(feats)
    for category in range(len(CATEGORY_NAMES)):
        points, _, _ = head.forward(feats, torch.full((3,), category))
        for ours, stock in zip(points, expected, strict=True):
            torch.testing.assert_close(ours, stock)


def test_the_wrapped_head_is_mmposes_own_and_keeps_its_names(demo_config):
    head = MODELS.build(demo_config.model.head)
    stock = MODELS.build(demo_config.model.head.pose_head)
    assert type(head.pose_head) is type(stock)
    assert {f"pose_head.{name}" for name in stock.state_dict()} <= set(head.state_dict())


def test_predictions_carry_category_and_visibility(build, item):
    predicted = predict(build(), item)
    assert predicted.category_scores.shape == (1, len(CATEGORY_NAMES))
    assert predicted.visibility_scores.shape == (1, NUM_KEYPOINTS, len(Visibility))
    np.testing.assert_allclose(predicted.category_scores.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(predicted.visibility_scores.sum(-1), 1, rtol=1e-5)
    assert set(np.unique(predicted.keypoint_visibility)) <= set(Visibility)
    defined = CATEGORY_KEYPOINTS[predicted.category_indices]
    best = predicted.visibility_scores.argmax(-1) + Visibility.ABSENT
    np.testing.assert_array_equal(predicted.keypoint_visibility[defined], best[defined])


@pytest.mark.parametrize("category", range(len(CATEGORY_NAMES)), ids=CATEGORY_NAMES)
def test_points_that_the_category_lacks_have_score_0(build, item, category):
    predicted = predict(build(), with_category(item, category))
    defined = CATEGORY_KEYPOINTS[category]
    assert (predicted.keypoint_scores[0, ~defined] == 0).all()
    assert (predicted.keypoint_scores[0, defined] > 0).all()
    assert (predicted.keypoint_visibility[0, ~defined] == Visibility.ABSENT).all()
    np.testing.assert_array_equal(predicted.keypoints_visible, predicted.keypoint_scores)


def test_a_point_that_is_surely_absent_scores_nothing(build, item):
    model = build()
    overall = model.head.visibility.overall
    torch.nn.init.zeros_(model.head.visibility.local)
    torch.nn.init.zeros_(overall.weight)
    with torch.no_grad():
        overall.bias.view(NUM_KEYPOINTS, 3)[:] = torch.tensor([50.0, 0, 0])
    predicted = predict(model, item)
    np.testing.assert_allclose(predicted.keypoint_scores, 0, atol=1e-6)
    assert (predicted.keypoint_visibility == Visibility.ABSENT).all()


def test_the_given_category_is_taken_and_the_own_opinion_kept(build, item):
    model = build()
    skirt, dress = (predict(model, with_category(item, index)) for index in (SKIRT, DRESS))
    assert skirt.category_indices.tolist() == [SKIRT]
    assert dress.category_indices.tolist() == [DRESS]
    np.testing.assert_array_equal(skirt.category_scores, dress.category_scores)


def test_the_given_category_changes_where_points_are_looked_for(build, item):
    model = build()
    skirt, dress = (predict(model, with_category(item, index)) for index in (SKIRT, DRESS))
    assert not np.array_equal(skirt.keypoints, dress.keypoints)
    model = build(condition=False)
    skirt, dress = (predict(model, with_category(item, index)) for index in (SKIRT, DRESS))
    np.testing.assert_array_equal(skirt.keypoints, dress.keypoints)


def test_a_temperature_makes_the_head_less_sure_and_changes_nothing_else(build, item):
    plain = predict(build(), with_category(item, None))
    warm = predict(build(category_temperature=3.0), with_category(item, None))
    cubed = warm.category_scores**3
    np.testing.assert_allclose(plain.category_scores, cubed / cubed.sum(), rtol=1e-4)
    np.testing.assert_array_equal(warm.keypoints, plain.keypoints)
    np.testing.assert_array_equal(warm.category_indices, plain.category_indices)


def test_forward_and_predict_share_the_temperature(build, item):
    model = build(category_temperature=3.0).eval()
    batch = model.data_preprocessor(pseudo_collate([item]), False)
    with torch.no_grad():
        features = model.extract_feat(batch["inputs"])
        _, logits, _ = model.head.forward(features)
    predicted = predict(model, with_category(item, None))
    np.testing.assert_allclose(logits.softmax(-1), predicted.category_scores, rtol=1e-4)


def test_smoothing_changes_the_loss_of_the_category_alone(build, drawn_dataset):
    dataset = drawn_dataset()
    items = [dataset[i] for i in range(4)]
    losses, logits, labels = {}, None, None
    for smoothing in (0.0, 0.2):
        model = build(category_smoothing=smoothing, category_weight=1.0).eval()
        batch = model.data_preprocessor(pseudo_collate(copy.deepcopy(items)), False)
        with torch.no_grad():
            losses[smoothing] = model(**batch, mode="loss")
            logits = model.head.category(model.extract_feat(batch["inputs"])[-1])
        labels = [int(s.gt_instances.category_indices[0]) for s in batch["data_samples"]]
    shares = torch.full_like(logits, 0.2 / len(CATEGORY_NAMES))
    shares[range(4), labels] += 0.8
    expected = -(shares * logits.log_softmax(-1)).sum(-1).mean()
    torch.testing.assert_close(losses[0.2]["loss_category"], expected)
    torch.testing.assert_close(losses[0.2]["loss_kpt"], losses[0.0]["loss_kpt"])


def test_without_a_category_the_head_chooses(build, item):
    model = build()
    predicted = predict(model, with_category(item, None))
    assert predicted.category_indices.tolist() == [predicted.category_scores.argmax()]
    told = predict(model, with_category(item, int(predicted.category_indices[0])))
    np.testing.assert_array_equal(predicted.keypoints, told.keypoints)


def test_a_category_that_is_kept_from_the_model_is_not_used(build, item):
    model = build()
    own = int(predict(model, with_category(item, None)).category_indices[0])
    hidden = with_category(item, (own + 1) % len(CATEGORY_NAMES))
    hidden["data_samples"].set_metainfo({"category_given": False})
    assert predict(model, hidden).category_indices.tolist() == [own]


def test_each_sample_of_a_batch_has_its_own_category():
    scores = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    given = torch.tensor([-1, 1, 0])
    assert choose_category(scores, given).tolist() == [1, 1, 0]
    assert choose_category(scores, None).tolist() == [1, 0, 1]


def test_flip_test_sees_a_picture_and_its_mirror_image_alike(build, item):
    model = build()
    mirrored = copy.deepcopy(item)
    mirrored["inputs"] = item["inputs"].flip(-1)
    one, other = predict(model, item), predict(model, mirrored)
    swap = list(item["data_samples"].flip_indices)
    np.testing.assert_allclose(one.category_scores, other.category_scores, rtol=1e-4)
    np.testing.assert_allclose(
        one.visibility_scores, other.visibility_scores[:, swap], rtol=1e-3, atol=1e-5
    )


def test_every_part_learns(build, drawn_dataset):
    model = build().train()
    dataset = drawn_dataset()
    batch = model.data_preprocessor(pseudo_collate([dataset[i] for i in range(6)]), True)
    losses = model(**batch, mode="loss")
    assert {"loss_kpt", "loss_category", "loss_visibility"} <= losses.keys()
    total, _ = model.parse_losses(losses)
    total.backward()
    idle = [name for name, p in model.head.named_parameters() if not (p.grad != 0).any()]
    assert idle == []


def test_the_losses_follow_their_weights(build, drawn_dataset):
    dataset = drawn_dataset()
    items = [dataset[i] for i in range(4)]

    def losses(**weights):
        model = build(**weights).eval()
        batch = model.data_preprocessor(pseudo_collate(copy.deepcopy(items)), False)
        with torch.no_grad():
            return model(**batch, mode="loss")

    once, twice = losses(), losses(category_weight=0.02, visibility_weight=0.03)
    torch.testing.assert_close(twice["loss_category"], 2 * once["loss_category"])
    torch.testing.assert_close(twice["loss_visibility"], 3 * once["loss_visibility"])
    torch.testing.assert_close(twice["loss_kpt"], once["loss_kpt"])


def test_what_goes_by_another_name_teaches_no_category(build, drawn_dataset):
    dataset = drawn_dataset()
    items = [dataset[i] for i in range(4)]
    model = build(category_weight=1.0).eval()

    def loss(chosen, unnamed=()):
        batch = copy.deepcopy([items[i] for i in chosen])
        for place in unnamed:
            batch[place]["data_samples"].gt_instances.named = np.array([False])
        batch = model.data_preprocessor(pseudo_collate(batch), False)
        with torch.no_grad():
            return model(**batch, mode="loss")

    some = loss(range(4), unnamed=[1, 3])
    torch.testing.assert_close(some["loss_category"], loss([0, 2])["loss_category"])
    torch.testing.assert_close(some["loss_kpt"], loss(range(4))["loss_kpt"])
    assert loss([0], unnamed=[0])["loss_category"] == 0


def test_the_category_can_be_trained_alone(build, drawn_dataset):
    model = build(only_category=True).train()
    dataset = drawn_dataset()
    before = copy.deepcopy(model.head.state_dict())
    batch = model.data_preprocessor(pseudo_collate([dataset[i] for i in range(6)]), True)
    losses = model(**batch, mode="loss")
    assert losses.keys() == {"loss_category", "acc_category"}
    learning = [p for p in model.head.parameters() if p.requires_grad]
    losses["loss_category"].backward()
    torch.optim.SGD(learning, 0.1).step()
    changed = {
        name.partition(".")[0]
        for name, value in model.head.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"category"}


def test_a_loss_ignores_points_that_the_category_lacks(build, drawn_dataset):
    model = build().train()
    torch.nn.init.zeros_(model.head.visibility.local)  # else some points are beyond doubt
    dataset = drawn_dataset()
    skirts = [i for i in range(len(dataset)) if dataset.get_data_info(i)["category_id"] == SKIRT]
    batch = model.data_preprocessor(pseudo_collate([dataset[i] for i in skirts[:2]]), True)
    model(**batch, mode="loss")["loss_visibility"].backward()
    gradient = model.head.visibility.overall.bias.grad.view(NUM_KEYPOINTS, -1)
    defined = torch.tensor(CATEGORY_KEYPOINTS[SKIRT].tolist())
    assert (gradient[~defined] == 0).all()
    assert (gradient[defined] != 0).any(axis=-1).all()


def test_heatmap_heads_are_wrapped_as_well(drawn_root, monkeypatch):
    monkeypatch.setenv("FASHIONAI_ROOT", str(drawn_root))
    config = Config.fromfile(CONFIGS / "heatmap_lite0_fashion.py")
    head = MODELS.build(config.model.head)
    assert isinstance(head, GarmentHead)
    sizes = zip(config.model.head.neck.in_channels, (48, 24, 12, 6), strict=True)
    feats = tuple(torch.rand(2, channels, size, size) for channels, size in sizes)
    heatmaps, category, visibility = head.forward(feats, torch.tensor([SKIRT, -1]))
    assert heatmaps.shape == (2, NUM_KEYPOINTS, 48, 48)
    assert category.shape == (2, len(CATEGORY_NAMES))
    assert visibility.shape == (2, NUM_KEYPOINTS, len(Visibility))
