"""Points on which several looks settle."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fashionkp_mm.core.looks import merged_keypoints

PLACES = st.floats(-1000, 5000, width=32)
SCORES = st.sampled_from([0.0, 0.125, 0.5, 0.75, 1.0])


def looks(count=2):
    shape = (count, 3, 4)
    return st.tuples(
        arrays.arrays(np.float32, (*shape, 2), elements=PLACES),
        arrays.arrays(np.float32, shape, elements=SCORES),
        arrays.arrays(np.int64, shape[:2], elements=st.integers(0, 1)),
    )


def test_a_surer_look_counts_by_the_square_of_its_score():
    keypoints = np.float32([[[[0, 0]]], [[[10, 20]]]])
    scores = np.float32([[[0.5]], [[1.0]]])
    merged = merged_keypoints(keypoints, scores, np.zeros((2, 1), int))
    np.testing.assert_allclose(merged, [[[8, 16]]])


def test_a_look_after_another_category_has_no_say():
    keypoints = np.float32([[[[0, 0]]], [[[10, 20]]]])
    merged = merged_keypoints(keypoints, np.ones((2, 1, 1), np.float32), np.array([[0], [1]]))
    np.testing.assert_array_equal(merged, [[[10, 20]]])


@given(looks(1))
def test_one_look_stays_as_it_is(look):
    keypoints, scores, categories = look
    merged = merged_keypoints(keypoints, scores, categories)
    np.testing.assert_allclose(merged, keypoints[0], rtol=1e-6)


@given(looks(3))
def test_the_result_lies_among_the_looks_and_is_the_last_where_none_is_sure(found):
    keypoints, scores, categories = found
    merged = merged_keypoints(keypoints, scores, categories)
    assert merged.dtype == np.float32
    slack = 1e-3
    assert (merged >= keypoints.min(axis=0) - slack).all()
    assert (merged <= keypoints.max(axis=0) + slack).all()
    unsure = (scores == 0).all(axis=0)
    np.testing.assert_array_equal(merged[unsure], keypoints[-1][unsure])
