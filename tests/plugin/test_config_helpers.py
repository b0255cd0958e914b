"""What configs say in one word."""

from __future__ import annotations

import pytest

from fashionkp_mm.plugin.config_helpers import with_codec, with_transforms

PIPELINE = [{"type": "LoadGarmentImage"}, {"type": "TopdownAffine"}, {"type": "GenerateTarget"}]


@pytest.mark.parametrize(
    ("codec", "udp"),
    [("UDPHeatmap", True), ("CentroidHeatmap", True), ("SimCCLabel", None), ("MSRAHeatmap", None)],
)
def test_a_pipeline_gets_its_codec(codec: str, udp: bool | None) -> None:
    settings = {"type": codec, "input_size": (192, 256)}
    load, affine, target = with_codec(PIPELINE, settings)
    assert load == {"type": "LoadGarmentImage"}
    assert affine["input_size"] == (192, 256)
    assert affine.get("use_udp") is udp
    assert target["encoder"] == settings
    assert PIPELINE[1] == {"type": "TopdownAffine"}


def test_transforms_stand_behind_the_one_named() -> None:
    more = [{"type": "A", "prob": 0.5}, {"type": "B"}]
    longer = with_transforms(PIPELINE, "TopdownAffine", *more)
    assert longer == [*PIPELINE[:2], *more, *PIPELINE[2:]]
    longer[2]["prob"] = 1
    longer[0]["cache_mb"] = 1
    assert more[0]["prob"] == 0.5
    assert PIPELINE[0] == {"type": "LoadGarmentImage"}


def test_a_transform_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no RandomFlip, but LoadGarmentImage, TopdownAffine"):
        with_transforms(PIPELINE, "RandomFlip", {"type": "A"})
