"""Points of several passes become one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fashionkp_mm.core.fusion import fused_keypoints, keypoint_spreads

PLACES = st.floats(-1000, 5000, width=32)
SCORES = st.sampled_from([0.0, 0.125, 0.5, 0.75, 1.0])


def passes(count=2):
    shape = (count, 3, 4)
    return st.tuples(
        arrays.arrays(np.float32, (*shape, 2), elements=PLACES),
        arrays.arrays(np.float32, shape, elements=SCORES),
        arrays.arrays(np.int64, shape[:2], elements=st.integers(0, 1)),
    )


def test_a_surer_pass_counts_by_the_square_of_its_score():
    keypoints = np.float32([[[[0, 0]]], [[[10, 20]]]])
    scores = np.float32([[[0.5]], [[1.0]]])
    fused = fused_keypoints(keypoints, scores, np.zeros((2, 1), int))
    np.testing.assert_allclose(fused, [[[8, 16]]])


def test_a_pass_for_another_category_has_no_vote():
    keypoints = np.float32([[[[0, 0]]], [[[10, 20]]]])
    fused = fused_keypoints(keypoints, np.ones((2, 1, 1), np.float32), np.array([[0], [1]]))
    np.testing.assert_array_equal(fused, [[[10, 20]]])


def test_a_spread_is_the_largest_distance_of_a_pass_that_votes():
    keypoints = np.float32([[[[0, 0]]], [[[90, 90]]], [[[3, 4]]]])
    spreads = keypoint_spreads(keypoints, np.array([[2], [1], [2]]))
    np.testing.assert_array_equal(spreads, [[5]])


def test_one_pass_that_votes_has_no_spread():
    keypoints = np.float32([[[[0, 0]]], [[[3, 4]]]])
    assert np.isnan(keypoint_spreads(keypoints[:1], np.array([[1]]))).all()
    assert np.isnan(keypoint_spreads(keypoints, np.array([[1], [2]]))).all()


@given(passes(1))
def test_one_pass_stays_as_it_is(one):
    keypoints, scores, categories = one
    fused = fused_keypoints(keypoints, scores, categories)
    np.testing.assert_allclose(fused, keypoints[0], rtol=1e-6)


@given(passes(3))
def test_the_result_lies_among_the_passes_and_is_the_last_where_none_is_sure(found):
    keypoints, scores, categories = found
    fused = fused_keypoints(keypoints, scores, categories)
    assert fused.dtype == np.float32
    slack = 1e-3
    assert (fused >= keypoints.min(axis=0) - slack).all()
    assert (fused <= keypoints.max(axis=0) + slack).all()
    unsure = (scores == 0).all(axis=0)
    np.testing.assert_array_equal(fused[unsure], keypoints[-1][unsure])
