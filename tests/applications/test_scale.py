"""Scales and amounts as people write them."""

import pytest

from fashionkp_mm.applications.scale import KnownLength, Scale, ScaleError, parse_amount


@pytest.mark.parametrize(
    ("text", "cm"),
    [("52cm", 52), ("520 mm", 52), ("20.5in", 52.07), (".5CM", 0.5), (" 7. cm ", 7)],
)
def test_amounts(text, cm):
    assert parse_amount(text, text) == pytest.approx(cm)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("52", "52 of what? Add the unit: 52cm, 52mm or 52in"),
        ("0cm", "expected an amount above 0"),
        ("-5cm", "is no amount"),
        ("nancm", "is no amount"),
        ("1e999cm", "is no amount"),
        ("5 ells", "is no amount"),
        ("", "is no amount"),
        ("9" * 400 + "cm", "expected an amount above 0"),
    ],
)
def test_what_is_no_amount(text, message):
    with pytest.raises(ScaleError) as error:
        parse_amount(text, text)
    assert message in str(error.value)


def test_known_lengths():
    assert KnownLength.parse("chest=52cm") == KnownLength("chest", 52.0)
    assert KnownLength.parse(" outseam_left = 1000mm") == KnownLength("outseam_left", 100.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("52cm", "expected a length and how long it is, as in chest=52cm"),
        ("bust=52cm", "there is no length 'bust'; expected one of shoulder_width, chest"),
        ("inseam=80cm", "name the side: inseam_left or inseam_right"),
        ("chest=52", "52 of what?"),
    ],
)
def test_what_is_no_known_length(text, message):
    with pytest.raises(ScaleError) as error:
        KnownLength.parse(text)
    assert message in str(error.value)


@pytest.mark.parametrize("per_cm", [0, -1, float("nan"), float("inf")])
def test_a_scale_is_above_0(per_cm):
    with pytest.raises(ScaleError, match="is no scale"):
        Scale.of_pixels(per_cm)


def test_places():
    assert Scale.of_pixels(4).places([(8, 2), (0, 0)]) == [(2, 0.5), (0, 0)]
