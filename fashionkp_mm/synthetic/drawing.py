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
from fashionkp_mm.synthetic.canvas import Canvas
from fashionkp_mm.synthetic.fabric import Fabric, make_fabric, mixed, pick_color, plain_fabric
from fashionkp_mm.synthetic.figure import Painter, Wearer, make_wearer
from fashionkp_mm.synthetic.framing import choose_size, make_camera
from fashionkp_mm.synthetic.outwear import cut_outwear
from fashionkp_mm.synthetic.pattern import Garment, Piece, Pose, make_pose
from fashionkp_mm.synthetic.tops import cut_blouse, cut_dress

Cut = Callable[[np.random.Generator, Pose], Garment]

CUTS: dict[str, Cut] = {
    "blouse": cut_blouse,
    "outwear": cut_outwear,
    "dress": cut_dress,
    "skirt": cut_skirt,
    "trousers": cut_trousers,
}
"""The categories that can be drawn. To add one, write its cut and name it here."""

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
    """

    image: NDArray[np.uint8]
    category: str
    keypoints: NDArray[np.int64]
    visibility: NDArray[np.int8]


def draw_garment(rng: np.random.Generator, category: str) -> SyntheticGarment:
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
    """:func:`draw_garment`, with the choice to leave away what gets between garment and camera."""
    if category not in CUTS:
        raise ValueError(
            f"no cut for category {category!r}: the drawn ones are {', '.join(CUTS)}; "
            "to draw another, write its cut and name it in CUTS of fashionkp_mm/synthetic/drawing.py"
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
    canvas = Canvas(np.ascontiguousarray(make_backdrop(scene, size, worn)), camera)
    fabric = make_fabric(
        cloth,
        camera.pixels_per_cm,
        denim={"trousers": 0.45, "skirt": 0.15, "outwear": 0.08}.get(category, 0.02),
    )
    painter = Painter(canvas, float(light.uniform(-1, 1)), light)
    _stage(painter, garment, pose, worn, fabric, scene)
    if occluders:
        props.paint_occluders(Painter(canvas, painter.light, extra), garment, worn)
    image = _develop(canvas.image, light)
    keypoints, visibility = _labels(canvas, garment)
    return SyntheticGarment(image, category, keypoints, visibility)


def _stage(
    paint: Painter,
    garment: Garment,
    pose: Pose,
    worn: str,
    fabric: Fabric,
    rng: np.random.Generator,
) -> None:
    """Paint the garment and what holds it."""
    pieces = {level: [p for p in garment.pieces if p.level == level] for level in (-1, 0, 1)}
    upper = "neckline_left" in garment.keypoints
    if worn == "person":
        _on_person(paint, garment, pose, fabric, rng)
        return
    on_wall = worn == "hanger"
    if worn == "mannequin":
        figure.paint_form(paint, mixed(pick_color(rng), (214.0, 222.0, 228.0), 0.8))
    else:
        depth = (3.0, 3.5) if on_wall else (0.9, 1.2)
        for piece in garment.pieces:
            if piece.hides or piece.name == "skirt" or piece.name.startswith("leg"):
                paint.canvas.shadow(
                    piece.outline, (-depth[0] * paint.light, depth[1]), depth[1], 0.28
                )
    if on_wall and upper:
        props.paint_rail(paint)
    sew(paint, pieces[-1], fabric, skip_inside=upper and worn == "mannequin")
    if on_wall and upper:
        props.paint_hanger(paint, float(garment.keypoints["neckline_left"][0][1]))
    sew(paint, pieces[0], fabric)
    sew(paint, pieces[1], fabric)
    if on_wall and not upper:
        props.paint_clips(paint, garment)


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
    for piece in pieces:
        if skip_inside and piece.name == "inside":
            continue
        patch = paint.cloth(
            piece.name if labelled else f"other {piece.name}", piece.outline, piece.axis,
            cloths[piece.cloth], piece.finish,
            hides=piece.hides or not labelled, lift=piece.lift,
        )  # fmt: skip
        for trim in piece.trims:
            tone = fabric.trim if isinstance(trim.tone, str) else trim.tone
            if not trim.closed:
                paint.canvas.line(trim.curve, trim.width, tone, patch if trim.clip else None)
                continue
            place = paint.canvas.patch(trim.curve)
            if isinstance(tone, float):
                paint.canvas.shade(place, tone)
            else:
                paint.canvas.shadow(trim.curve, (0.15, 0.3), 0.3, 0.4)
                paint.canvas.paint(place, tone)


def _on_person(
    paint: Painter, garment: Garment, pose: Pose, fabric: Fabric, rng: np.random.Generator
) -> None:
    wearer = make_wearer(rng)
    upper = "neckline_left" in garment.keypoints
    other = plain_fabric(pick_color(rng))
    pieces = {level: [p for p in garment.pieces if p.level == level] for level in (-1, 0, 1)}
    insides = [p for p in pieces[-1] if p.name == "inside"]
    paint.canvas.shadow(
        np.array([[-20.0, 166], [20, 166], [22, 173], [-22, 173]]), (0, 0), 3.0, 0.3
    )
    figure.paint_back_hair(paint, wearer)
    for arm, behind in zip(pose.arms, pose.behind, strict=True):
        if behind:
            figure.paint_upper_arm(paint, wearer, arm)
            figure.paint_forearm(paint, wearer, arm)
    if upper:
        sew(paint, insides, fabric)
        sew(paint, [p for p in pieces[-1] if p.name != "inside"], fabric)
    figure.paint_legs(paint, wearer, pose)
    figure.paint_trunk(paint, wearer)
    if upper:
        _dress_upper(paint, garment, pose, wearer, fabric, other, pieces, rng)
    else:
        _dress_lower(paint, pose, wearer, fabric, other, garment, rng)
    figure.paint_head(paint, wearer)
    figure.paint_front_hair(paint, wearer)


def _dress_upper(
    paint: Painter,
    garment: Garment,
    pose: Pose,
    wearer: Wearer,
    fabric: Fabric,
    other: Fabric,
    pieces: dict[int, list[Piece]],
    rng: np.random.Generator,
) -> None:
    if garment.category != "dress":
        below = (cut_trousers if rng.random() < 0.6 else cut_skirt)(rng, pose)
        sew(paint, below.pieces, other, labelled=False)
    _arms(paint, wearer, pose, upper_half=True)
    if garment.category == "outwear":
        shirt = cut_blouse(rng, pose)
        trunk = [p for p in shirt.pieces if p.level == 0]
        sew(paint, trunk, plain_fabric(pick_color(rng)), labelled=False)
    sew(paint, pieces[0], fabric)
    _arms(paint, wearer, pose, upper_half=False)
    sew(paint, pieces[1], fabric)


def _dress_lower(
    paint: Painter,
    pose: Pose,
    wearer: Wearer,
    fabric: Fabric,
    other: Fabric,
    garment: Garment,
    rng: np.random.Generator,
) -> None:
    tucked = rng.random() < 0.6
    waist = [garment.keypoints[f"waistband_{side}"][0] for side in ("left", "right")]
    shirt = cut_blouse(rng, pose, tuck=waist if tucked else None)
    trunk = [p for p in shirt.pieces if p.level == 0]
    _arms(paint, wearer, pose, upper_half=True)
    if tucked:
        sew(paint, trunk, other, labelled=False)
    sew(paint, garment.pieces, fabric, skip_inside=True)
    if not tucked:
        sew(paint, trunk, other, labelled=False)
    _arms(paint, wearer, pose, upper_half=False)
    sew(paint, [p for p in shirt.pieces if p.level == 1], other, labelled=False)


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


def _labels(canvas: Canvas, garment: Garment) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
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
