"""A square marker of known size beside the garment: the scale, less the tilt of the camera."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.scale import Scale, ScaleError, parse_amount
from fashionkp_mm.core.words import listed

MAX_TILT = 30.0
"""Degrees from which a marker is called tilted: a small error of a corner then moves much."""
MIN_SIDE = 24.0
"""Pixels of a marker's side below which it is too small for a scale."""

_PREFIX = "DICT_"
_LARGEST = (
    "4X4_1000", "5X5_1000", "6X6_1000", "7X7_1000", "ARUCO_ORIGINAL", "ARUCO_MIP_36h12",
    "APRILTAG_16h5", "APRILTAG_25h9", "APRILTAG_36h10", "APRILTAG_36h11",
)  # fmt: skip
"""Dictionaries that hold all markers of OpenCV's: smaller ones are the beginnings of these."""
_SPEC = re.compile(
    r"aruco(?::(?P<dictionary>[^:#]+)(?:#(?P<id>\d+))?)?:(?P<size>[^:]+)", re.IGNORECASE
)
_EDGE_SAMPLES = 64
_MIN_CONTRAST = 16.0
_FOCAL_LENGTHS = np.geomspace(0.6, 4, 40)
"""Of cameras, as multiples of the picture's long side: wide phones to long lenses."""


class MarkerError(ValueError):
    """A picture without the marker, or with several."""


@dataclass(frozen=True)
class Marker:
    """What marker stands beside the garment.

    Attributes:
        side_cm: Length of a side of its black square.
        dictionary: Name of OpenCV's dictionary without ``DICT_``; None for any of them.
        marker_id: Its number in the dictionary; None for any.
    """

    side_cm: float
    dictionary: str | None = None
    marker_id: int | None = None

    @classmethod
    def parse(cls, text: str) -> Marker:
        """Read ``aruco:50mm``, ``aruco:4X4_50:50mm`` or ``aruco:4X4_50#7:50mm``.

        Raises:
            ScaleError: It is none of these, or OpenCV has no such dictionary.
        """
        parts = _SPEC.fullmatch(text.strip())
        if parts is None:
            raise ScaleError(
                f"{text!r}: expected aruco:SIZE, aruco:DICTIONARY:SIZE or aruco:DICTIONARY#ID:SIZE,"
                " as in aruco:50mm or aruco:4X4_50#7:50mm"
            )
        name, number = parts["dictionary"], parts["id"]
        if name is not None:
            known = {each.lower(): each for each in dictionaries()}
            wanted = name.lower().removeprefix(_PREFIX.lower())
            if wanted not in known:
                raise ScaleError(
                    f"{text!r}: OpenCV has no dictionary {name}; expected one of"
                    f" {listed(list(known.values()), len(known))}"
                )
            name = known[wanted]
        side = parse_amount(parts["size"], text)
        return cls(side, name, None if number is None else int(number))

    def __str__(self) -> str:
        which = "ArUco marker" if self.dictionary is None else f"marker of {self.dictionary}"
        return which if self.marker_id is None else f"{which} with id {self.marker_id}"


def dictionaries() -> list[str]:
    """Names of OpenCV's dictionaries, without ``DICT_``."""
    return [name.removeprefix(_PREFIX) for name in dir(cv2.aruco) if name.startswith(_PREFIX)]


def scale_of_marker(image: NDArray[np.uint8], marker: Marker) -> Scale:
    """Find the marker in a picture, and from it the scale of the plane that it lies in.

    The homography of its four corners also takes out the camera's tilt, for whatever lies in the
    same plane.

    Args:
        image: ``(H, W, 3)`` BGR.
        marker: What to look for.

    Raises:
        MarkerError: It is not there, stands there twice, or is too small.
    """
    found = _found(image, marker)
    if not found:
        raise MarkerError(
            f"no {marker} is to be found; it needs a white margin, light, and {MIN_SIDE:.0f} pixels"
            " a side at least"
        )
    if len(found) > 1:
        places = [
            f"{name} id {number} at ({x:.0f}, {y:.0f})" for name, number, x, y in found.names()
        ]
        raise MarkerError(
            f"{len(found)} markers: {listed(places)}; show one alone, or say which it is, as in"
            " --marker aruco:4X4_50#7:50mm"
        )
    corners = _refined(found.corners[0], image)
    side = float(np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).min())
    if side < MIN_SIDE:
        raise MarkerError(
            f"the {marker} is {side:.0f} pixels wide, too small for a scale; expected"
            f" {MIN_SIDE:.0f} or more"
        )
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64) * marker.side_cm
    onto = cv2.getPerspectiveTransform(corners.astype(np.float32), square.astype(np.float32))
    homography = onto.astype(np.float64)
    tilt = _tilt(homography, (image.shape[1], image.shape[0]))
    return Scale(_toward(homography, corners), tilt, "marker")


@dataclass(frozen=True)
class _Found:
    """Markers, each once: names of dictionaries, ids, and corners ``(n, 4, 2)``."""

    dictionaries: list[str]
    ids: list[int]
    corners: list[NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> list[tuple[str, int, float, float]]:
        """Dictionary, id and middle of each."""
        return [
            (name, number, *corners.mean(axis=0).tolist())
            for name, number, corners in zip(self.dictionaries, self.ids, self.corners, strict=True)
        ]


def _found(image: NDArray[np.uint8], marker: Marker) -> _Found:
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    found = _Found([], [], [])
    for name in _LARGEST if marker.dictionary is None else [marker.dictionary]:
        corners, ids, _ = _detector(name).detectMarkers(gray)
        numbers = [] if ids is None else [int(number) for number in ids.ravel()]
        for quad, number in zip(corners, numbers, strict=True):
            square = quad.reshape(4, 2).astype(np.float64)
            wanted = marker.marker_id in (None, number)
            if wanted and not any(_same(square, other) for other in found.corners):
                found.dictionaries.append(name)
                found.ids.append(number)
                found.corners.append(square)
    return found


def _detector(name: str) -> cv2.aruco.ArucoDetector:
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    # Prints and buttons must not pass for markers.
    parameters.errorCorrectionRate = 0.0
    parameters.maxErroneousBitsInBorderRate = 0.1
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, _PREFIX + name))
    return cv2.aruco.ArucoDetector(dictionary, parameters)


def _same(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether two squares are the same one, read by two dictionaries."""
    return bool(np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)) < 4)


def _toward(homography: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same homography with positive depth where the marker is."""
    x, y = corners.mean(axis=0)
    depth = homography[2] @ [x, y, 1.0]
    turned: NDArray[np.float64] = homography / depth
    return turned


def _refined(corners: NDArray[np.float64], image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Where the straight edges of the black square meet.

    Corners are rounded by lens and print, edges are long: a line through many places of an edge is
    known better than any corner, and far from the marker that is what counts.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    middle = corners.mean(axis=0)
    lines = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = end - start
        length = float(np.linalg.norm(along))
        across = np.array([along[1], -along[0]]) / length
        if across @ (start - middle) < 0:
            across = -across
        # Half a module either side: within the black border, and within the white margin.
        reach = max(2.0, length / 20)
        steps = np.linspace(-reach, reach, 2 * math.ceil(4 * reach) + 1)
        shares = np.linspace(0.08, 0.92, _EDGE_SAMPLES)
        places = (start + shares[:, None] * along)[:, None] + steps[:, None] * across
        x, y = np.moveaxis(places.astype(np.float32), -1, 0)
        profile = cv2.remap(gray, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        # Black runs to where, if it was all black and then all white, it would be as dark in all.
        black, white = profile[:, :2].mean(axis=1), profile[:, -2:].mean(axis=1)
        rises = white > black + _MIN_CONTRAST
        light = (profile[rises].mean(axis=1) - black[rises]) / (white - black)[rises]
        offset = reach * (1 - 2 * light)
        edge = start + shares[rises, None] * along + offset[:, None] * across
        if len(edge) < 2:
            return corners
        vx, vy, x, y = cv2.fitLine(edge.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.001).ravel()
        lines.append(np.array([vy, -vx, vx * y - vy * x], np.float64))
    meeting = np.array([np.cross(lines[i - 1], lines[i]) for i in range(4)])
    refined: NDArray[np.float64] = meeting[:, :2] / meeting[:, 2:]
    far = np.linalg.norm(refined - corners, axis=1).max()
    return refined if np.isfinite(far) and far < MIN_SIDE / 8 else corners


def _tilt(homography: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Degrees by which the marker's plane is turned away from the camera.

    With the camera's focal length ``f``, the columns of the homography from plane to picture are
    the plane's axes, at right angles and of one length; ``f`` is the one under which they are so
    most nearly (Zhang, "A flexible new technique for camera calibration", 2000, section 3.1). Where
    the plane is not tilted any will do, and all say so.
    """
    width, height = size
    centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    toward = centred @ np.linalg.inv(homography)
    focal = _FOCAL_LENGTHS * max(size)
    lens = np.stack([1 / focal, 1 / focal, np.ones_like(focal)], axis=-1)
    first, second = lens * toward[:, 0], lens * toward[:, 1]
    squares = (first**2).sum(axis=-1), (second**2).sum(axis=-1)
    skew = (squares[0] - squares[1]) ** 2 + 4 * (first * second).sum(axis=-1) ** 2
    best = int(np.argmin(skew / (squares[0] + squares[1]) ** 2))
    normal = np.cross(first[best], second[best])
    return math.degrees(math.acos(min(1.0, abs(float(normal[2] / np.linalg.norm(normal))))))
