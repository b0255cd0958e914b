"""Hangers, and what gets between the garment and the camera: bags, scarves, neighbours, leaves."""

from __future__ import annotations

import numpy as np

from fashionkp_mm.synthetic.colors import mixed, pick_color
from fashionkp_mm.synthetic.fabric import Finish, make_fabric, plain_fabric
from fashionkp_mm.synthetic.figure import Painter
from fashionkp_mm.synthetic.geometry import (
    Axis,
    FloatArray,
    arc,
    ellipse,
    mirrored,
    points,
    smooth,
    tube,
    xy,
)
from fashionkp_mm.synthetic.pattern import GarmentPattern

HANGER_WOOD = (72.0, 110.0, 158.0)
METAL = (178.0, 176.0, 172.0)


def paint_rail(paint: Painter) -> None:
    """The rail above, with the hook on it."""
    canvas = paint.canvas
    if paint.rng.random() < 0.5:
        canvas.shadow(points((-120, 9), (120, 9), (120, 11.5), (-120, 11.5)), (2, 3), 1.5, 0.25)
        outline, axis = tube(points((120.0, 10.2), (-120.0, 10.2)), 1.3)
        metal = plain_fabric(mixed(METAL, (40.0, 40.0, 40.0), float(paint.rng.uniform(0, 0.9))))
        paint.cloth("rail", outline, axis, metal, Finish(0.5, 0.0), hides=False)
    hook = smooth(
        points(
            (-3.0, 13.5), (-2.6, 9.6), (0.4, 8.2), (2.8, 10.6), (1.8, 14.0), (0, 17.0), (0, 27.0)
        ),
        6,
    )
    canvas.line(hook, 0.7, METAL)


def paint_hanger(paint: Painter, neck_y: float) -> None:
    """Shoulders of a hanger, under the garment."""
    top = min(neck_y, 30.0) - 4.0
    half = smooth(
        points((0, top), (2.2, top + 0.8), (9, 32.2), (17.2, 36.6), (17.6, 38.6), (16, 38.6)), 5
    )
    lower = smooth(points((15, 38.0), (8, 34.2), (0, 33.0)), 5)
    outline = np.concatenate([half, lower, mirrored(lower), mirrored(half)])
    axis = Axis(points((0, top), (0, 39)), np.array([18.0, 18.0]))
    color = HANGER_WOOD if paint.rng.random() < 0.6 else pick_color(paint.rng)
    paint.cloth(
        "hanger", outline, axis, plain_fabric(color), Finish(0.3, 0.3), hides=True, lift=0.4
    )


def paint_clips(paint: Painter, garment: GarmentPattern) -> None:
    """A hanger with two clips on a waistband."""
    left, right = (garment.keypoints[f"waistband_{side}"][0] for side in ("left", "right"))
    y = float(left[1] + right[1]) / 2 - 3.4
    canvas = paint.canvas
    canvas.line(points((left[0] - 2, y), (right[0] + 2, y)), 0.8, METAL)
    hook = points(
        (-2.4, y - 11.5), (-2.2, y - 14.5), (0.4, y - 15.8), (2.6, y - 13.8), (0, y - 9.5), (0, y)
    )
    canvas.line(smooth(hook, 6), 0.7, METAL)
    for x in (0.62 * left[0], 0.62 * right[0]):
        shape = points(
            (x - 1.5, y - 1.2), (x + 1.5, y - 1.2), (x + 1.2, y + 6.2), (x - 1.2, y + 6.2)
        )
        axis = Axis(points((x, y), (x, y + 6)), np.array([1.5, 1.5]))
        paint.cloth(
            "clip", shape, axis, plain_fabric((50.0, 50.0, 54.0)), Finish(0.4, 0.0), lift=0.5
        )


def paint_occluders(paint: Painter, garment: GarmentPattern, worn: str) -> None:
    """Perhaps lay something over the garment."""
    rng = paint.rng
    chance = {"flat": 0.32, "hanger": 0.34, "mannequin": 0.3, "person": 0.42}[worn]
    if rng.random() > chance:
        return
    upper = "armpit_left" in garment.keypoints
    if worn == "flat":
        (_leaves if rng.random() < 0.55 else _card)(paint, _somewhere(rng, garment))
    elif worn == "hanger":
        if rng.random() < 0.5:
            _neighbour(paint, garment)
        else:
            _tag(paint, _somewhere(rng, garment))
    elif upper and rng.random() < 0.3:
        _scarf(paint, garment)
    elif worn == "mannequin":
        _tag(paint, _somewhere(rng, garment))
    else:
        _bag(paint, strap=upper)


def _somewhere(rng: np.random.Generator, garment: GarmentPattern) -> FloatArray:
    """A place at or beside one of the garment's points."""
    names = sorted(garment.keypoints)
    place = garment.keypoints[names[int(rng.integers(len(names)))]][0]
    return place + rng.normal(0, 3.0, 2) + (np.sign(place[0]) * rng.uniform(0, 6), 2.0)


def _leaves(paint: Painter, place: FloatArray) -> None:
    """A sprig of eucalyptus."""
    rng = paint.rng
    angle = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-along[1], along[0]])
    green = plain_fabric((rng.uniform(90, 130), rng.uniform(120, 160), rng.uniform(80, 120)))
    stem = smooth(np.stack([place - 12 * along, place + 1.5 * aside, place + 12 * along]), 8)
    paint.canvas.line(stem, 0.5, mixed(green.base, (30.0, 60.0, 60.0), 0.5))
    for index, spot in enumerate(stem[2::3]):
        for sign in (-1, 1):
            size = 3.4 - 0.3 * index
            middle = spot + sign * size * aside + 1.2 * along
            tilt = np.stack([aside * sign + 0.5 * along, along * -sign + 0.5 * aside])
            leaf = ellipse((0, 0), size, 0.62 * size, 18) @ tilt + middle
            axis = Axis(np.stack([spot, middle + sign * size * aside]), np.array([size, size]))
            paint.cloth("leaf", leaf, axis, green, Finish(0.2, 0.6), lift=0.6)


def _card(paint: Painter, place: FloatArray) -> None:
    """The corner of a magazine."""
    rng = paint.rng
    angle = rng.uniform(-0.5, 0.5)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    w, h = rng.uniform(7, 11), rng.uniform(9, 14)
    middle = place + np.array([np.sign(place[0]) * w * 0.7, h * 0.5])
    page = points((-w, -h), (w, -h), (w, h), (-w, h)) @ turn + middle
    axis = Axis(np.stack([middle - (0, h), middle + xy(0, h)]), np.array([w, w]))
    paint.cloth(
        "card", page, axis, plain_fabric((246.0, 246.0, 248.0)), Finish(0.04, 0.2), lift=0.8
    )
    photo = points(
        (-0.8 * w, -0.45 * h), (0.8 * w, -0.45 * h), (0.8 * w, 0.85 * h), (-0.8 * w, 0.85 * h)
    )
    paint.canvas.paint(paint.canvas.patch(photo @ turn + middle), pick_color(rng))
    for y in (-0.82, -0.64):
        line = points((-0.7 * w, y * h), (0.5 * w, y * h)) @ turn + middle
        paint.canvas.line(line, 0.9, (60.0, 56.0, 54.0))


def _tag(paint: Painter, place: FloatArray) -> None:
    """A price tag on a string."""
    x, y = place
    shape = points((x - 2.6, y + 2), (x, y), (x + 2.6, y + 2), (x + 2.6, y + 10), (x - 2.6, y + 10))
    axis = Axis(points((x, y), (x, y + 10)), np.array([2.6, 2.6]))
    paint.canvas.line(arc((x - 3, y - 7), (x, y + 1), 1.5), 0.18, (90.0, 90.0, 96.0))
    card = plain_fabric(mixed(pick_color(paint.rng), (240.0, 244.0, 246.0), 0.7))
    paint.cloth("tag", shape, axis, card, Finish(0.08, 0.1), lift=0.6)
    for drop in (4.5, 6.0):
        paint.canvas.line(
            points((x - 1.6, y + drop), (x + 1.6, y + drop)), 0.35, (80.0, 80.0, 84.0)
        )


def _neighbour(paint: Painter, garment: GarmentPattern) -> None:
    """The next garment on the rail, seen from its side, in front of one half."""
    rng = paint.rng
    places = np.stack([place for place, _ in garment.keypoints.values()])
    top, low = float(places[:, 1].min()) + 1, float(places[:, 1].max()) + rng.uniform(-14, 8)
    wide, span = rng.uniform(6.5, 9.5), low - top
    x = float(rng.choice([-1.0, 1.0])) * rng.uniform(17.0, 24.0)
    left = smooth(
        points(
            (0, 0),
            (-0.75 * wide, 2.5),
            (-1.0 * wide, 9),
            (-0.85 * wide, 0.6 * span),
            (-1.1 * wide, span),
        ),
        8,
    )
    right = left * (-1.0, 1.0) * (rng.uniform(0.9, 1.1), 1.0)
    outline = np.concatenate([left, arc(left[-1], right[-1], 2.0)[1:-1], right[::-1]]) + xy(x, top)
    fabric = make_fabric(rng, paint.canvas.camera.pixels_per_cm, plain=0.3)
    paint.canvas.line(points((x, top + 1), (x, top - 9)), 0.6, METAL)
    axis = Axis(points((x, top), (x, top + 6), (x, low)), np.array([0.6 * wide, wide, wide]))
    paint.cloth("neighbour", outline, axis, fabric, Finish(0.4, 1.4, 3, 0.3, 0.9), lift=1.0)
    fold = smooth(points((x + 1.5, top + 8), (x + 0.4, top + 0.4 * span), (x + 1.8, low - 3)), 6)
    paint.canvas.line(fold, 0.6, 0.25)


def _scarf(paint: Painter, garment: GarmentPattern) -> None:
    """A scarf around the neck."""
    rng = paint.rng
    y = float(garment.keypoints["neckline_left"][0][1])
    fabric = make_fabric(rng, paint.canvas.camera.pixels_per_cm)
    x = rng.uniform(-2, 2)
    for sign, drop in ((-1, rng.uniform(14, 30)), (1, rng.uniform(14, 30))):
        tail = smooth(
            points((x, y + 6), (x + sign * 2.8, y + 6 + drop / 2), (x + sign * 3.4, y + 6 + drop)),
            6,
        )
        outline, axis = tube(tail, np.linspace(2.6, 4.2, len(tail)))
        paint.cloth("scarf", outline, axis, fabric, Finish(0.3, 1.0, 3, 0.6, 0.3), lift=0.7)
    ring = smooth(points((-9.5, y - 2), (-6, y + 5.2), (x, y + 7.6), (6, y + 5.2), (9.5, y - 2)), 6)
    outline, axis = tube(ring, 3.4)
    paint.cloth("scarf", outline, axis, fabric, Finish(0.4, 1.0, 2, 0.6, 0.6), lift=0.7)


def _bag(paint: Painter, *, strap: bool) -> None:
    """A handbag, on a strap across the body or at the hip."""
    rng = paint.rng
    sign = float(rng.choice([-1.0, 1.0]))
    x, y = sign * rng.uniform(13, 19), rng.uniform(74, 92)
    w, h = rng.uniform(7.5, 10.5), rng.uniform(6, 8.5)
    leather = plain_fabric(pick_color(rng))
    color = mixed(leather.base, (20.0, 20.0, 20.0), 0.35)
    if strap:
        start = np.array([-sign * 9.0, 31.5])
        for end, sag in ((x - w + 1, 1.0), (x + w - 1, -1.0)):
            paint.canvas.shadow(tube(arc(start, (end, y - h), sag), 0.8)[0], (0.8, 0.8), 0.6, 0.3)
            outline, axis = tube(arc(start, (end, y - h), sag), 0.7)
            paint.cloth("strap", outline, axis, plain_fabric(color), Finish(0.2, 0.0))
    else:
        paint.canvas.line(
            smooth(
                points(
                    (x - w + 3, y - h), (x - 2, y - h - 11), (x + 2, y - h - 11), (x + w - 3, y - h)
                ),
                6,
            ),
            1.0,
            color,
        )
    corner = 2.0
    body = smooth(
        points(
            (x - w, y - h),
            (x + w, y - h),
            (x + w + 0.6, y + h - corner),
            (x + w - corner, y + h),
            (x - w + corner, y + h),
            (x - w - 0.6, y + h - corner),
            (x - w, y - h),
        ),
        5,
    )
    axis = Axis(points((x, y - h), (x, y + h)), np.array([w, w]))
    paint.cloth("bag", body, axis, leather, Finish(0.3, 0.3), lift=1.0)
    flap = smooth(
        points(
            (x - w - 0.2, y - h),
            (x - w + 0.6, y + 0.1 * h),
            (x, y + 0.4 * h),
            (x + w - 0.6, y + 0.1 * h),
            (x + w + 0.2, y - h),
        ),
        5,
    )
    paint.cloth("bag", flap, axis, leather, Finish(0.25, 0.3), lift=0.7)
    paint.canvas.paint(
        paint.canvas.patch(ellipse((x, y + 0.3 * h), 1.0, 1.0)), (90.0, 190.0, 220.0)
    )
