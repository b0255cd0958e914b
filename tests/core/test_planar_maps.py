"""Similarities and affine maps: those that made the points are found, and the rest is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionkp_mm.core.planar_maps import fit_affine, fit_similarity, inverse, moved, on_one_line

SOURCE = np.array([[0, 0], [100, 0], [100, 80], [0, 80], [40, 30.0]])
seeds = st.integers(0, 10_000)


def similarity(generator: np.random.Generator) -> np.ndarray:
    angle, scale = generator.uniform(-np.pi, np.pi), np.exp(generator.uniform(-3, 3))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([scale * turn, generator.uniform(-500, 500, 2)])


@given(seeds)
def test_a_similarity_is_found_again(seed: int) -> None:
    matrix = similarity(np.random.default_rng(seed))
    found = fit_similarity(SOURCE, moved(matrix, SOURCE))
    np.testing.assert_allclose(found, matrix, rtol=1e-9, atol=1e-9)


@given(seeds)
def test_an_affine_map_is_found_again(seed: int) -> None:
    matrix = np.random.default_rng(seed).uniform(-5, 5, (2, 3))
    found = fit_affine(SOURCE, moved(matrix, SOURCE))
    np.testing.assert_allclose(found, matrix, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("fit", [fit_similarity, fit_affine])
@given(seed=seeds)
def test_no_map_near_the_found_one_is_better(fit, seed: int) -> None:
    generator = np.random.default_rng(seed)
    target = SOURCE + generator.normal(0, 15, SOURCE.shape)
    weights = generator.uniform(0.1, 3, len(SOURCE))
    found = fit(SOURCE, target, weights)

    def loss(matrix: np.ndarray) -> float:
        return float((weights * ((moved(matrix, SOURCE) - target) ** 2).sum(1)).sum())

    for _ in range(10):
        if fit is fit_affine:
            other = found + generator.normal(0, 1e-3, (2, 3))
        else:
            real, imaginary = generator.normal(0, 1e-3, 2)
            other = found + np.array([[real, -imaginary, 0], [imaginary, real, 0]])
            other[:, 2] += generator.normal(0, 1e-2, 2)
        assert loss(other) >= loss(found)


@pytest.mark.parametrize("fit", [fit_similarity, fit_affine])
def test_points_without_weight_do_not_matter(fit) -> None:
    target = moved(similarity(np.random.default_rng(1)), SOURCE)
    wrong = target.copy()
    wrong[4] = 1e6, math.pi
    weights = np.array([1, 0.3, 1, 1, 0])
    np.testing.assert_allclose(fit(SOURCE, wrong, weights), fit(SOURCE, target, weights))


def test_a_similarity_never_mirrors() -> None:
    found = fit_similarity(SOURCE, SOURCE * (-1, 1))
    assert np.linalg.det(found[:, :2]) >= 0


@given(seeds)
def test_the_way_back(seed: int) -> None:
    matrix = similarity(np.random.default_rng(seed))
    back = moved(inverse(matrix), moved(matrix, SOURCE))
    np.testing.assert_allclose(back, SOURCE, atol=1e-8)


@pytest.mark.parametrize(
    ("fit", "source", "message"),
    [
        (fit_similarity, [[3, 4]], "1 point to go by, 2 are needed"),
        (fit_similarity, [[3, 4], [3, 4], [3, 4]], "in one place"),
        (fit_affine, [[3, 4], [5, 6]], "2 points to go by, 3 are needed"),
        (fit_affine, [[3, 4], [4, 5], [10, 11]], "on one line"),
        (fit_affine, [[3, 4], [3, 4], [3, 4]], "on one line"),
    ],
)
def test_degenerate_points_are_refused(fit, source, message: str) -> None:
    points = np.array(source, float)
    with pytest.raises(ValueError, match=message):
        fit(points, points)


def test_shapes_and_weights_are_checked() -> None:
    with pytest.raises(ValueError, match=r"expected \(n, 2\)"):
        fit_similarity(SOURCE, SOURCE[:3])
    with pytest.raises(ValueError, match="0 or more"):
        fit_affine(SOURCE, SOURCE, -np.ones(len(SOURCE)))
    with pytest.raises(ValueError, match="0 points to go by"):
        fit_similarity(SOURCE, SOURCE, np.zeros(len(SOURCE)))
    with pytest.raises(ValueError, match="flattens"):
        inverse(np.zeros((2, 3)))


def test_a_point_without_weight_does_not_make_a_line_a_plane() -> None:
    points = np.array([[0, 0], [1, 1], [2, 2], [0, 5.0]])
    assert not on_one_line(points)
    assert on_one_line(points, np.array([1, 1, 1, 0]))
