"""What the cuts give, before anything is painted."""

import numpy as np
import pytest

from fashionkp_mm.core.garments import CATEGORIES, keypoint_indices
from fashionkp_mm.synthetic.canvas import Canvas
from fashionkp_mm.synthetic.drawing import CUTS
from fashionkp_mm.synthetic.geometry import Camera, homography
from fashionkp_mm.synthetic.pattern import make_pose

COUNT = 300
CORNERS = ("cuff", "top_hem", "waistband", "hemline", "bottom", "neckline")


@pytest.fixture(scope="module")
def cuts():
    """Garments by category."""
    made = {}
    for name, cut in CUTS.items():
        rng = np.random.default_rng(11)
        worn = ("flat", "hanger", "person")
        made[name] = [cut(rng, make_pose(rng, worn[i % 3])) for i in range(COUNT)]
    return made


def absent(garments, name):
    return 1 - sum(name in garment.keypoints for garment in garments) / len(garments)


@pytest.mark.parametrize("category", CUTS)
def test_a_cut_has_only_its_categorys_points_and_all_of_them_sometimes(cuts, category):
    met = {name for garment in cuts[category] for name in garment.keypoints}
    assert met == set(CATEGORIES[category].keypoints)


@pytest.mark.parametrize("category", CUTS)
def test_the_normalizer_is_never_missing(cuts, category):
    for name in CATEGORIES[category].normalizer:
        assert absent(cuts[category], name) == 0


@pytest.mark.parametrize(
    ("category", "name", "low", "high"),
    [
        ("outwear", "waistline_left", 0.76, 0.92),
        ("dress", "waistline_left", 0.22, 0.38),
        ("dress", "cuff_left_in", 0.17, 0.33),
        ("dress", "shoulder_left", 0.05, 0.16),
        ("blouse", "shoulder_left", 0.01, 0.09),
        ("blouse", "cuff_left_in", 0.01, 0.11),
        ("outwear", "cuff_left_in", 0.005, 0.08),
    ],
)
def test_points_are_missing_about_as_often_as_in_the_real_data(cuts, category, name, low, high):
    assert low < absent(cuts[category], name) < high


@pytest.mark.parametrize("category", CUTS)
def test_left_is_the_viewers_left(cuts, category):
    pairs = CATEGORIES[category].flip_pairs
    right_way = [
        garment.keypoints[left][0][0] < garment.keypoints[right][0][0]
        for garment in cuts[category]
        for left, right in pairs
        if left in garment.keypoints and not left.startswith("cuff")
    ]
    assert np.mean(right_way) > 0.98


@pytest.mark.parametrize("category", CUTS)
def test_points_lie_on_the_edge_of_their_pieces(cuts, category):
    source = [(-80.0, -10.0), (80.0, -10.0), (80.0, 180.0), (-80.0, 180.0)]
    target = [(0.0, 0.0), (479.0, 0.0), (479.0, 569.0), (0.0, 569.0)]
    camera = Camera(homography(source, target))
    for garment in cuts[category][::12]:
        cover = {}
        for piece in garment.pieces:
            full = np.zeros((570, 480), np.uint8)
            patch = Canvas(np.zeros((570, 480, 3), np.uint8), camera).patch(piece.outline)
            full[patch.window] = patch.cover
            cover[piece.name] = full
        for name, (place, owners) in garment.keypoints.items():
            x, y = np.rint(camera.to_pixels(place)).astype(int)
            near = slice(y - 3, y + 4), slice(x - 3, x + 4)
            owned = np.max([cover[owner][near] for owner in owners if owner in cover], axis=0)
            assert owned.max() > 127, f"{name} lies off its pieces"
            if name.startswith(CORNERS):
                assert owned.min() < 128, f"{name} lies inside its pieces, not at their edge"


def test_the_crotch_is_where_the_legs_meet(cuts):
    for garment in cuts["trousers"]:
        crotch = garment.keypoints["crotch"][0]
        for piece in garment.pieces:
            if piece.name.startswith("leg"):
                assert np.hypot(*(piece.outline - crotch).T).min() < 0.5


def test_owners_are_pieces(cuts):
    for garments in cuts.values():
        for garment in garments:
            names = {piece.name for piece in garment.pieces}
            for name, (_, owners) in garment.keypoints.items():
                assert owners & names, f"{name} of a {garment.category} belongs to no piece"


def test_outlines_of_drawn_garments_can_be_linked(cuts):
    for name, garments in cuts.items():
        present = np.zeros(24, bool)
        present[keypoint_indices(garments[0].keypoints)] = True
        links = CATEGORIES[name].links(present)
        assert all(present[a] and present[b] for a, b in links)
        assert len(links) >= present.sum()
