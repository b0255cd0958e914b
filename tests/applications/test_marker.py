"""A marker beside a drawn garment, photographed aslant: lengths are right to 1 %."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from photographs import DICTIONARIES, beside, camera, laid, marker_tile, photographed

from fashionkp_mm.applications import (
    Marker,
    MarkerError,
    Scale,
    ScaleError,
    measure,
    scale_of_marker,
)
from fashionkp_mm.applications.marker import dictionaries

PX_PER_CM = 10.0
SIDE_CM = 9.0


@pytest.mark.parametrize("category", ["blouse", "outwear", "dress", "skirt", "trousers"])
@pytest.mark.parametrize(("tilt", "roll"), [(0, 0), (15, 20), (25, 110), (35, 70)])
def test_lengths_are_right_to_a_hundredth(drawn, garment_of, category, tilt, roll):
    truth = drawn(category, 3)
    scene = beside(truth.image)
    size = scene.shape[1::-1]
    picture, onto = photographed(scene, camera(tilt, roll, size))
    present = truth.visibility != -1
    points = cv2.perspectiveTransform(truth.keypoints[None].astype(np.float64), onto)[0]
    seen = garment_of(category, np.where(present[:, None], points, -1), truth.visibility, size)
    plain = measure(
        garment_of(category, truth.keypoints, truth.visibility), scale=Scale.of_pixels(PX_PER_CM)
    )

    scale = scale_of_marker(picture, Marker(SIDE_CM, "4X4_50"))
    measured = measure(seen, scale=scale)

    assert scale.tilt == pytest.approx(tilt, abs=2.5)
    for expected, found in zip(plain, measured, strict=True):
        if expected.value:
            assert found.value == pytest.approx(expected.value, rel=0.01), found.length.name
    warned = any("marker tilted by" in each for each in measured[0].warnings)
    assert warned == (tilt > 30)


class TestFinding:
    GROUND = np.full((400, 600, 3), (120, 160, 140), np.uint8)

    def test_any_dictionary_will_do(self):
        for name in DICTIONARIES:
            scene = laid(self.GROUND, marker_tile(dictionary=name), (50, 60))
            scale = scale_of_marker(scene, Marker(SIDE_CM))
            (x1, y1), (x2, y2) = scale.places([(100, 100), (200, 100)])
            assert math.hypot(x2 - x1, y2 - y1) == pytest.approx(10, rel=0.01)

    def test_none(self):
        with pytest.raises(MarkerError, match="no ArUco marker is to be found; it needs a white"):
            scale_of_marker(self.GROUND, Marker(SIDE_CM))

    def test_none_of_the_dictionary_or_id_that_was_named(self):
        scene = laid(self.GROUND, marker_tile(7), (50, 60))
        with pytest.raises(MarkerError, match="no marker of 6X6_50 is"):
            scale_of_marker(scene, Marker(SIDE_CM, "6X6_50"))
        with pytest.raises(MarkerError, match="no marker of 4X4_50 with id 8 is"):
            scale_of_marker(scene, Marker(SIDE_CM, "4X4_50", 8))

    @pytest.mark.parametrize("other", [7, 9])
    def test_two(self, other):
        scene = laid(laid(self.GROUND, marker_tile(7), (50, 60)), marker_tile(other), (350, 200))
        with pytest.raises(MarkerError, match=r"2 markers: .*id 7 at .*show one alone"):
            scale_of_marker(scene, Marker(SIDE_CM, "4X4_50"))

    def test_two_of_which_one_was_named(self):
        scene = laid(laid(self.GROUND, marker_tile(7), (50, 60)), marker_tile(9), (350, 200))
        scale = scale_of_marker(scene, Marker(SIDE_CM, "4X4_50", 9))
        (x, y), *_ = scale.places([(350 + 22, 200 + 22)])
        assert (x, y) == pytest.approx((0, 0), abs=0.1)

    def test_one_that_is_too_small(self):
        tile = cv2.resize(marker_tile(), (30, 30), interpolation=cv2.INTER_AREA)
        scene = laid(self.GROUND, tile, (50, 60))
        with pytest.raises(MarkerError, match=r"pixels wide, too small|no marker of 4X4_50"):
            scale_of_marker(scene, Marker(SIDE_CM, "4X4_50"))

    def test_garments_alone_show_none(self, drawn):
        """Prints and buttons do not pass for markers."""
        for category in ("blouse", "dress", "skirt"):
            for number in range(4):
                with pytest.raises(MarkerError, match="no ArUco marker"):
                    scale_of_marker(drawn(category, number).image, Marker(SIDE_CM))


class TestNames:
    @pytest.mark.parametrize(
        ("text", "marker"),
        [
            ("aruco:50mm", Marker(5.0)),
            ("ArUco:4x4_50:50mm", Marker(5.0, "4X4_50")),
            ("aruco:DICT_APRILTAG_36h11#12:2in", Marker(5.08, "APRILTAG_36h11", 12)),
        ],
    )
    def test_are_read(self, text, marker):
        read = Marker.parse(text)
        assert read.side_cm == pytest.approx(marker.side_cm)
        assert (read.dictionary or "").lower() == (marker.dictionary or "").lower()
        assert read.marker_id == marker.marker_id

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("50mm", "expected aruco:SIZE"),
            ("aruco", "expected aruco:SIZE"),
            ("aruco:50", "50 of what?"),
            ("aruco:0mm", "an amount above 0"),
            ("aruco:9X9_50:50mm", "OpenCV has no dictionary 9X9_50; expected one of 4X4_100"),
            ("aruco:4X4_50#x:50mm", "expected aruco:SIZE"),
            ("qr:50mm", "expected aruco:SIZE"),
        ],
    )
    def test_are_refused(self, text, message):
        with pytest.raises(ScaleError) as error:
            Marker.parse(text)
        assert message in str(error.value)

    def test_every_dictionary_of_opencv_can_be_named(self):
        for name in dictionaries():
            assert Marker.parse(f"aruco:{name}:5cm").dictionary.lower() == name.lower()
