import subprocess
import sys

import cv2
import numpy as np
import pytest

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_INDEX,
    NORMALIZER_INDICES,
    Visibility,
)
from fashionkp_mm.synthetic import synthesize_garment
from fashionkp_mm.synthetic.drawing import CUTS, paint_scene

EACH = 14


def scene(category, index, *, occluders=True):
    rng = np.random.default_rng([5, index, CATEGORY_NAMES.index(category)])
    return paint_scene(rng, category, occluders=occluders)


@pytest.fixture(scope="module")
def drawn():
    """Pairs of a picture and the same one without occluders, of every category."""
    return [
        (scene(name, index), scene(name, index, occluders=False))
        for name in CUTS
        for index in range(EACH)
    ]


def test_every_category_has_a_cut():
    assert set(CUTS) == set(CATEGORIES)


def test_pictures_have_the_size_and_type_that_they_promise(drawn):
    sizes = [garment.image.shape for garment, _ in drawn]
    assert all(max(size) == 512 and min(size[:2]) >= 320 and size[2] == 3 for size in sizes)
    assert 0.5 < np.mean([size == (512, 512, 3) for size in sizes]) < 0.85
    assert all(garment.image.dtype == np.uint8 for garment, _ in drawn)
    assert all(garment.image.std() > 5 for garment, _ in drawn)


def test_labels_lie_inside_the_picture_or_are_absent(drawn):
    for garment, _ in drawn:
        height, width = garment.image.shape[:2]
        present = garment.visibility != Visibility.ABSENT
        assert (garment.keypoints[~present] == -1).all()
        x, y = garment.keypoints[present].T
        assert x.min() >= 0 and y.min() >= 0 and x.max() < width and y.max() < height


def test_only_the_categorys_points_are_labelled(drawn):
    for garment, _ in drawn:
        defined = CATEGORY_KEYPOINTS[CATEGORY_NAMES.index(garment.category)]
        assert (garment.visibility[~defined] == Visibility.ABSENT).all()
        assert (garment.visibility != Visibility.ABSENT).sum() >= 3


def test_the_normalizer_is_there_and_not_tiny(drawn):
    for garment, _ in drawn:
        a, b = NORMALIZER_INDICES[CATEGORY_NAMES.index(garment.category)]
        assert garment.visibility[a] != Visibility.ABSENT
        assert garment.visibility[b] != Visibility.ABSENT
        assert np.hypot(*(garment.keypoints[a] - garment.keypoints[b])) > 20


def test_every_visibility_occurs_and_most_points_are_visible(drawn):
    states = np.concatenate(
        [g.visibility[CATEGORY_KEYPOINTS[CATEGORY_NAMES.index(g.category)]] for g, _ in drawn]
    )
    shares = {state: float(np.mean(states == state)) for state in Visibility}
    assert 0.02 < shares[Visibility.ABSENT] < 0.3
    assert 0.05 < shares[Visibility.OCCLUDED] < 0.35
    assert shares[Visibility.VISIBLE] > 0.5


def test_an_occluder_moves_no_point_and_uncovers_none(drawn):
    for garment, bare in drawn:
        np.testing.assert_array_equal(garment.keypoints, bare.keypoints)
        assert (garment.visibility <= bare.visibility).all()


def test_a_point_that_an_occluder_hides_shows_other_pixels(drawn):
    hidden = 0
    for garment, bare in drawn:
        newly = (garment.visibility == Visibility.OCCLUDED) & (
            bare.visibility == Visibility.VISIBLE
        )
        for x, y in garment.keypoints[newly]:
            hidden += 1
            assert (garment.image[y, x] != bare.image[y, x]).any()
    assert hidden >= 5


def test_where_nothing_was_laid_over_the_picture_visible_points_stay_visible(drawn):
    for garment, bare in drawn:
        same = (garment.image == bare.image).all(axis=2)
        for k in np.flatnonzero(bare.visibility == Visibility.VISIBLE):
            x, y = garment.keypoints[k]
            if same[y, x]:
                assert garment.visibility[k] == Visibility.VISIBLE


@pytest.mark.parametrize("category", CUTS)
def test_the_same_numbers_give_the_same_picture(category):
    a, b = (synthesize_garment(np.random.default_rng(9), category) for _ in range(2))
    np.testing.assert_array_equal(a.image, b.image)
    np.testing.assert_array_equal(a.keypoints, b.keypoints)
    np.testing.assert_array_equal(a.visibility, b.visibility)


def test_one_generator_gives_one_picture_after_the_other():
    rng = np.random.default_rng(9)
    a, b = synthesize_garment(rng, "skirt"), synthesize_garment(rng, "skirt")
    assert a.image.shape != b.image.shape or (a.image != b.image).any()


def test_a_category_without_a_cut_says_where_to_add_one():
    with pytest.raises(ValueError, match=r"'jumpsuit'.*CUTS.*drawing\.py"):
        synthesize_garment(np.random.default_rng(0), "jumpsuit")


def test_importing_pulls_in_the_core_only():
    code = (
        "import sys, fashionkp_mm.synthetic\n"
        "heavy = {'torch', 'mmpose', 'fashionkp_mm.plugin', 'fashionkp_mm.runtime'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_mask_has_the_visible_points_and_less_where_something_is_laid_over(drawn):
    cloth = []
    for garment, bare in drawn:
        assert garment.mask.shape == garment.image.shape[:2]
        assert garment.mask.dtype == np.uint8
        near = cv2.dilate(garment.mask, np.ones((9, 9), np.uint8))
        x, y = garment.keypoints[garment.visibility == Visibility.VISIBLE].T
        cloth += (near[y, x] > 127).tolist()
        assert (garment.mask <= bare.mask).all(), "what lies over the garment hides it"
        covered = garment.mask < bare.mask
        same = covered & (garment.image == bare.image).all(axis=2)
        assert same.sum() <= 0.1 * covered.sum()
    assert np.mean(cloth) > 0.99


def test_what_a_thing_hides_of_a_garment_is_no_longer_in_the_mask(drawn):
    hidden = [
        g.mask[y, x]
        for g, bare in drawn
        for x, y in g.keypoints[
            (g.visibility == Visibility.OCCLUDED) & (bare.visibility == Visibility.VISIBLE)
        ]
    ]
    assert len(hidden) >= 5
    assert max(hidden) == 0


def test_the_backdrop_is_named_by_its_function(drawn):
    names = {garment.backdrop for garment, _ in drawn}
    assert names == {"white", "studio", "room", "brick", "street", "planks", "sheet"}
    for garment, _ in drawn:
        if garment.backdrop == "white":
            corners = garment.image[[0, 0, -1, -1], [0, -1, 0, -1]]
            assert np.median(corners) > 220


def test_longer_sleeves_end_further_from_the_shoulder():
    lengths, shares = [], []
    for index in range(60):
        garment = scene("blouse", index, occluders=False)
        assert 0.15 < garment.sleeve_length < 1.06 or garment.sleeve_length == 0
        names = ("shoulder_left", "cuff_left_out", "armpit_left", "armpit_right")
        shoulder, cuff, *armpits = (garment.keypoints[KEYPOINT_INDEX[name]] for name in names)
        if min(shoulder.min(), cuff.min()) < 0:
            continue
        assert garment.sleeve_length > 0
        lengths.append(np.hypot(*(cuff - shoulder)) / np.hypot(*np.subtract(*armpits)))
        shares.append(garment.sleeve_length)
    assert np.corrcoef(lengths, shares)[0, 1] > 0.75


@pytest.mark.parametrize("category", ["skirt", "trousers"])
def test_what_has_no_sleeves_has_them_of_no_length(category):
    assert scene(category, 0).sleeve_length == 0
