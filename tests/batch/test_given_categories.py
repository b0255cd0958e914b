"""Categories of a CSV file for images that are called otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from fashionkp_mm.batch.given_categories import with_categories
from fashionkp_mm.batch.sources import InputError, Source

CSV = Path("c.csv")


def source(image_id: str, folder: str = "/data", category: str | None = None) -> Source:
    return Source(image_id, Path(folder, image_id), category)


def categories(sources: list[Source], given: dict[str, str]) -> tuple[list[str | None], list[str]]:
    found, notes = with_categories(sources, given, CSV)
    assert [one.image_id for one in found] == [one.image_id for one in sources]
    return [one.category for one in found], notes


def test_the_same_id() -> None:
    given = {"b.jpg": "dress", "a.jpg": "skirt"}

    found, notes = categories([source("a.jpg"), source("b.jpg")], given)

    assert found == ["skirt", "dress"]
    assert notes == []


@pytest.mark.parametrize(
    ("image_id", "named"),
    [
        ("blouse/x.jpg", "Images/blouse/x.jpg"),
        ("Images/blouse/x.jpg", "blouse/x.jpg"),
        ("train/Images/blouse/x.jpg", "/old/place/Images/blouse/x.jpg"),
    ],
)
def test_an_id_with_other_folders_before_it(image_id: str, named: str) -> None:
    found, notes = categories([source(image_id)], {named: "blouse"})

    assert found == ["blouse"]
    (note,) = notes
    assert note.startswith("1 image found in c.csv by the end of the path")
    assert f"{image_id}, which is {named} there" in note


def test_the_longest_tail_decides() -> None:
    given = {"Images/blouse/x.jpg": "blouse", "Images/skirt/x.jpg": "skirt"}
    sources = [source("skirt/x.jpg"), source("blouse/x.jpg")]

    assert categories(sources, given)[0] == ["skirt", "blouse"]


def test_the_folder_that_was_named_counts_as_well() -> None:
    given = {"blouse/x.jpg": "blouse", "skirt/x.jpg": "skirt"}

    assert categories([source("x.jpg", "/data/skirt")], given)[0] == ["skirt"]


def test_images_that_are_missing_are_counted_and_named() -> None:
    sources = [source(f"{number}.jpg") for number in range(9)]

    found, notes = categories(sources, {"8.jpg": "dress", "other.jpg": "skirt"})

    assert found == [None] * 8 + ["dress"]
    (note,) = notes
    assert note.startswith("8 images are not in c.csv")
    assert note.endswith("0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 3 more")


def test_what_could_be_two_is_neither() -> None:
    sources = [source("a/x.jpg"), source("b/x.jpg"), source("y.jpg")]

    found, notes = categories(sources, {"x.jpg": "blouse", "y.jpg": "dress"})

    assert found == [None, None, "dress"]
    assert "not under one name only" in notes[0]


def test_an_image_that_is_not_in_the_file_loses_its_own_category() -> None:
    found, _ = categories([source("a.jpg"), source("b.jpg", category="dress")], {"a.jpg": "skirt"})

    assert found == ["skirt", None]


def test_a_file_without_any_of_the_images_is_refused() -> None:
    with pytest.raises(InputError, match=r"c\.csv holds none of the 2 images.*a\.jpg.*z\.jpg"):
        with_categories([source("a.jpg"), source("b.jpg")], {"z.jpg": "skirt"}, CSV)
