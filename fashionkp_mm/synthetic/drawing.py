"""One picture: a garment is cut, posed, framed and painted, and its points are read off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import KEYPOINT_INDEX, NUM_KEYPOINTS, Visibility
from fashionkp_mm.synthetic import figure, props
from fashionkp_mm.synthetic.backdrop import make_backdrop
from fashionkp_mm.synthetic.bottoms import cut_skirt, cut_trousers
from fashionkp_mm.synthetic.canvas import Canvas, Patch
from fashionkp_mm.synthetic.colors import mixed, pick_color
from fashionkp_mm.synthetic.fabric import Fabric, make_fabric, plain_fabric
from fashionkp_mm.synthetic.figure import Painter, Wearer, make_wearer
from fashionkp_mm.synthetic.framing import choose_size, make_camera
from fashionkp_mm.synthetic.outwear import cut_outwear
from fashionkp_mm.synthetic.pattern import GarmentPattern, Piece, Pose, Trim, make_pose
from fashionkp_mm.synthetic.tops import cut_blouse, cut_dress

Cut = Callable[[np.random.Generator, Pose], GarmentPattern]

CUTS: dict[str, Cut] = {
    "blouse": cut_blouse,
    "outwear": cut_outwear,
    "dress": cut_dress,
    "skirt": cut_skirt,
    "trousers": cut_trousers,
}
"""The categories that can be drawn. To add one, write its cut and name it here."""

DENIM_SHARE = {"trousers": 0.45, "skirt": 0.15, "outwear": 0.08, "dress": 0.02, "blouse": 0.02}

WORN: dict[bool, dict[str, float]] = {
    True: {"flat": 0.3, "hanger": 0.2, "mannequin": 0.14, "person": 0.36},
    False: {"flat": 0.36, "hanger": 0.16, "mannequin": 0.08, "person": 0.4},
}
"""How garments that hang from the shoulders (True) and others are shown, with their shares."""


@dataclass(frozen=True)
class SyntheticGarment:
    """A drawn garment and its labels.

    Attributes:
        image: ``(H, W, 3)`` uint8 BGR, long side at most 512.
        category: Its category's name.
        keypoints: ``(K, 2)`` int64, x and y in pixels of the image; (-1, -1) where absent.
        visibility: ``(K,)`` int8 of ``garments.Visibility``.
        mask: ``(H, W)`` uint8: 255 where a pixel shows the garment, 0 where it shows none of it.
        backdrop: What is behind it: ``white``, ``studio``, ``room`` and so on, a function of
            `backdrop`.
        sleeve_length: Share of the arm that the sleeves cover, from 0.15 for cap sleeves to 1.04;
            0 without sleeves.
    """

    image: NDArray[np.uint8]
    category: str
    keypoints: NDArray[np.int64]
    visibility: NDArray[np.int8]
    mask: NDArray[np.uint8]
    backdrop: str
    sleeve_length: float


def synthesize_garment(rng: np.random.Generator, category: str) -> SyntheticGarment:
    """Draw a garment with exact labels.

    Everything is drawn by program; the same state of ``rng`` gives the same picture.

    Args:
        rng: Source of every choice.
        category: A name of ``CUTS``.

    Raises:
        ValueError: There is no cut for the category.
    """
    return paint_scene(rng, category, occluders=True)


def paint_scene(rng: np.random.Generator, category: str, *, occluders: bool) -> SyntheticGarment:
    """As `synthesize_garment`; ``occluders`` says whether things may hide parts of the garment."""
    if category not in CUTS:
        raise ValueError(
            f"no cut for category {category!r}: the drawn ones are {', '.join(CUTS)}; "
            "to draw another, write its cut and name it in CUTS of "
            "fashionkp_mm/synthetic/drawing.py"
        )
    # Each part of the scene has numbers of its own, so that one leaves the others as they are.
    cutting, framing, cloth, scene, light, extra = (
        np.random.default_rng(seed) for seed in rng.integers(2**63, size=6)
    )
    upper = category in {"blouse", "outwear", "dress"}
    shares = WORN[upper]
    worn = str(cutting.choice(list(shares), p=list(shares.values())))
    pose = make_pose(cutting, worn)
    garment = CUTS[category](cutting, pose)
    size = choose_size(framing)
    camera = make_camera(framing, garment, size, worn)
    backdrop, ground = make_backdrop(scene, size, worn)
    canvas = Canvas(np.ascontiguousarray(ground), camera)
    fabric = make_fabric(cloth, camera.pixels_per_cm, denim=DENIM_SHARE.get(category, 0.0))
    painter = Painter(canvas, float(light.uniform(-1, 1)), light)
    _stage(painter, _Subject(garment, pose, worn, fabric), scene)
    if occluders:
        props.paint_occluders(Painter(canvas, painter.light, extra), garment, worn)
    image = _develop(canvas.image, light)
    keypoints, visibility = _labels(canvas, garment)
    return SyntheticGarment(
        image, category, keypoints, visibility, canvas.mask, backdrop, garment.sleeve_length
    )


@dataclass(frozen=True)
class _Subject:
    """The garment, and how it is shown."""

    garment: GarmentPattern
    pose: Pose
    worn: str
    fabric: Fabric

    @property
    def upper(self) -> bool:
        """Whether the garment hangs from the shoulders."""
        return "neckline_left" in self.garment.keypoints

    def pieces(self, level: int) -> list[Piece]:
        """The garment's pieces of a level."""
        return [piece for piece in self.garment.pieces if piece.level == level]


def _stage(paint: Painter, subject: _Subject, rng: np.random.Generator) -> None:
    """Paint the garment and what holds it."""
    if subject.worn == "person":
        _on_person(paint, subject, rng)
        return
    hangs = subject.worn == "hanger"
    if subject.worn == "mannequin":
        figure.paint_form(paint, mixed(pick_color(rng), (214.0, 222.0, 228.0), 0.8))
    else:
        x, y = (3.0, 3.5) if hangs else (0.9, 1.2)
        for piece in subject.garment.pieces:
            if piece.hides or piece.name == "skirt" or piece.name.startswith("leg"):
                paint.canvas.shadow(piece.outline, (-x * paint.light, y), y, 0.28)
    if hangs and subject.upper:
        props.paint_rail(paint)
    on_form = subject.upper and subject.worn == "mannequin"
    sew(paint, subject.pieces(-1), subject.fabric, skip_inside=on_form)
    if hangs and subject.upper:
        props.paint_hanger(paint, float(subject.garment.keypoints["neckline_left"][0][1]))
    sew(paint, [*subject.pieces(0), *subject.pieces(1)], subject.fabric)
    if hangs and not subject.upper:
        props.paint_clips(paint, subject.garment)


def sew(
    paint: Painter,
    pieces: list[Piece],
    fabric: Fabric,
    *,
    skip_inside: bool = False,
    labelled: bool = True,
) -> None:
    """Paint pieces of cloth and the lines on them, of the labelled garment or of another one."""
    cloths = {
        "main": fabric,
        "trim": plain_fabric(fabric.trim, fabric.drape),
        "lining": plain_fabric(mixed(fabric.base, (24.0, 22.0, 26.0), 0.45)),
    }
    with paint.canvas.painting_garment(labelled):
        for piece in pieces:
            if skip_inside and piece.name == "inside":
                continue
            patch = paint.cloth(
                piece.name if labelled else f"other {piece.name}", piece.outline, piece.axis,
                cloths[piece.cloth], piece.finish,
                hides=piece.hides or not labelled, lift=piece.lift,
            )  # fmt: skip
            for trim in piece.trims:
                _sew_trim(paint, trim, fabric, patch)


def _sew_trim(paint: Painter, trim: Trim, fabric: Fabric, piece: Patch | None) -> None:
    tone = fabric.trim if isinstance(trim.tone, str) else trim.tone
    if not trim.closed:
        paint.canvas.line(trim.curve, trim.width, tone, piece if trim.clip else None)
        return
    place = paint.canvas.patch(trim.curve)
    if isinstance(tone, float):
        paint.canvas.shade(place, tone)
    else:
        paint.canvas.shadow(trim.curve, (0.15, 0.3), 0.3, 0.4)
        paint.canvas.paint(place, tone)


def _on_person(paint: Painter, subject: _Subject, rng: np.random.Generator) -> None:
    wearer = make_wearer(rng)
    pose = subject.pose
    floor = np.array([[-20.0, 166], [20, 166], [22, 173], [-22, 173]])
    paint.canvas.shadow(floor, (0, 0), 3.0, 0.3)
    figure.paint_back_hair(paint, wearer)
    for arm, behind in zip(pose.arms, pose.behind, strict=True):
        if behind:
            figure.paint_upper_arm(paint, wearer, arm)
            figure.paint_forearm(paint, wearer, arm)
    other = plain_fabric(pick_color(rng))
    if subject.upper:
        sew(paint, subject.pieces(-1), subject.fabric)
        _paint_body(paint, wearer, pose)
        _dress_upper(paint, subject, wearer, other, rng)
    else:
        _dress_lower(paint, subject, wearer, other, rng)
    figure.paint_head(paint, wearer)
    figure.paint_front_hair(paint, wearer)


def _paint_body(paint: Painter, wearer: Wearer, pose: Pose) -> None:
    figure.paint_legs(paint, wearer, pose)
    figure.paint_trunk(paint, wearer)


def _dress_upper(
    paint: Painter, subject: _Subject, wearer: Wearer, other: Fabric, rng: np.random.Generator
) -> None:
    """Put on the labelled garment, and others that go with it below."""
    if subject.garment.category != "dress":
        below = (cut_trousers if rng.random() < 0.6 else cut_skirt)(rng, subject.pose)
        sew(paint, below.pieces, other, labelled=False)
    _arms(paint, wearer, subject.pose, upper_half=True)
    if subject.garment.category == "outwear":
        shirt = [piece for piece in cut_blouse(rng, subject.pose).pieces if piece.level == 0]
        sew(paint, shirt, plain_fabric(pick_color(rng)), labelled=False)
    sew(paint, subject.pieces(0), subject.fabric)
    _arms(paint, wearer, subject.pose, upper_half=False)
    sew(paint, subject.pieces(1), subject.fabric)


def _dress_lower(
    paint: Painter, subject: _Subject, wearer: Wearer, other: Fabric, rng: np.random.Generator
) -> None:
    """Put on the labelled garment, and a top that is tucked into it or falls over it."""
    tucked = rng.random() < 0.6
    waist = [subject.garment.keypoints[f"waistband_{side}"][0] for side in ("left", "right")]
    shirt = cut_blouse(rng, subject.pose, tuck=waist if tucked else None)
    behind, trunk, sleeves = (
        [p for p in shirt.pieces if p.level == level and p.name != "inside"] for level in (-1, 0, 1)
    )
    sew(paint, behind, other, labelled=False)
    _paint_body(paint, wearer, subject.pose)
    _arms(paint, wearer, subject.pose, upper_half=True)
    if tucked:
        sew(paint, trunk, other, labelled=False)
    sew(paint, subject.garment.pieces, subject.fabric, skip_inside=True)
    if not tucked:
        sew(paint, trunk, other, labelled=False)
    _arms(paint, wearer, subject.pose, upper_half=False)
    sew(paint, sleeves, other, labelled=False)


def _arms(paint: Painter, wearer: Wearer, pose: Pose, *, upper_half: bool) -> None:
    for arm, behind in zip(pose.arms, pose.behind, strict=True):
        if not behind:
            (figure.paint_upper_arm if upper_half else figure.paint_forearm)(paint, wearer, arm)


def _develop(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The camera's part: white balance, exposure, a little blur and grain."""
    gain = rng.uniform(0.92, 1.04) * rng.uniform(0.97, 1.03, 3)
    table = np.clip(np.arange(256)[:, None] * gain, 0, 255).astype(np.uint8)[None]
    image = cv2.LUT(image, np.ascontiguousarray(table)).astype(np.uint8, copy=False)
    grain = rng.integers(-3, 4, (96, 96, 1), dtype=np.int16)
    rows, columns = -(-image.shape[0] // 96), -(-image.shape[1] // 96)
    noise = np.tile(grain, (rows, columns, 1))[: image.shape[0], : image.shape[1]]
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _labels(canvas: Canvas, garment: GarmentPattern) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Where the points fell and whether a later layer covers them."""
    height, width = canvas.image.shape[:2]
    keypoints = np.full((NUM_KEYPOINTS, 2), -1, dtype=np.int64)
    visibility = np.full(NUM_KEYPOINTS, Visibility.ABSENT, dtype=np.int8)
    for name, (place, owners) in garment.keypoints.items():
        x, y = np.rint(canvas.camera.to_pixels(place)).astype(int)
        if not (0 <= x < width and 0 <= y < height):
            continue
        k = KEYPOINT_INDEX[name]
        keypoints[k] = x, y
        hidden = canvas.hidden((x, y), owners)
        visibility[k] = Visibility.OCCLUDED if hidden else Visibility.VISIBLE
    return keypoints, visibility
