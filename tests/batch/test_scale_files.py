"""One scale a picture, from a CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from fashionkp_mm.batch.scale_files import read_scales
from fashionkp_mm.core.table import AnnotationError


def test_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text('px_per_cm,note,image_id\n8.5,,a.jpg\n 4 ,"x","b, c.jpg"\n\n')
    scales = read_scales(path)
    assert list(scales) == ["a.jpg", "b, c.jpg"]
    assert scales["a.jpg"].places([(17, 0)]) == [(2, 0)]
    assert scales["b, c.jpg"].source == "scale in s.csv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,scale\na,1\n", "row 1, column px_per_cm: no such column"),
        ("", "row 1, column image_id: no such column"),
        ("image_id,px_per_cm\na,0\n", "row 2, column px_per_cm, value '0': expected pixels per cm"),
        ("image_id,px_per_cm\na,wide\n", "row 2, column px_per_cm, value 'wide': expected pixels"),
        ("image_id,px_per_cm\na,1\na,2\n", "row 3, column image_id, value 'a': stands there twice"),
        ("image_id,px_per_cm\na,1,2\n", "row 2: 3 cells, expected 2 as in row 1"),
    ],
)
def test_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(AnnotationError) as error:
        read_scales(path)
    assert f"{path}, {message}" in str(error.value)
