"""Tests of pairing image ids whose folders differ."""

from __future__ import annotations

import pytest

from fashionkp_mm.core.image_ids import (
    UnmatchedIdsError,
    difference_in_words,
    id_problem,
    match_ids,
    require_overlap,
)


@pytest.mark.parametrize(
    "image_id",
    ["a.jpg", "./a.jpg", "Images/skirt/a.jpg", "a..b/..c.jpg", "Kleid/ü, 1.jpg", "ab:c.jpg"],
)
def test_paths_below_a_root(image_id: str) -> None:
    assert id_problem(image_id) == ""


@pytest.mark.parametrize(
    ("image_id", "message"),
    [
        ("../a.jpg", "leaves the data root"),
        ("a/../../b.jpg", "leaves the data root"),
        ("a\\..\\b.jpg", "leaves the data root"),
        ("/a.jpg", "leaves the data root"),
        ("C:/a.jpg", "leaves the data root"),
        ("C:a.jpg", "leaves the data root"),
        ("\\\\host\\a.jpg", "leaves the data root"),
        ("~/a.jpg", "leaves the data root"),
        ("Images\\a.jpg", "has a backslash"),
    ],
)
def test_what_is_no_path_below_a_root(image_id: str, message: str) -> None:
    assert message in id_problem(image_id)


def test_equal_ids_come_first() -> None:
    known = ["skirt/a.jpg", "Images/skirt/a.jpg"]
    assert match_ids(["Images/skirt/a.jpg"], known) == {"Images/skirt/a.jpg": "Images/skirt/a.jpg"}


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        ("blouse/x.jpg", "Images/blouse/x.jpg"),
        ("Images/blouse/x.jpg", "blouse/x.jpg"),
        ("/data/train/Images/blouse/x.jpg", "Images/blouse/x.jpg"),
        ("../photos/blouse/x.jpg", "Images/blouse/x.jpg"),
        ("./x.jpg", "x.jpg"),
        ("photos//x.jpg", "photos/x.jpg"),
        ("photos/x.jpg", "Images/blouse/x.jpg"),
    ],
)
def test_ids_under_other_folders(wanted: str, known: str) -> None:
    assert match_ids([wanted], [known, "Images/blouse/y.jpg"]) == {wanted: known}


def test_the_longest_tail_decides() -> None:
    wanted = ["skirt/1.jpg", "dress/1.jpg"]
    known = ["Images/dress/1.jpg", "Images/skirt/1.jpg"]
    assert match_ids(wanted, known) == {
        "skirt/1.jpg": "Images/skirt/1.jpg",
        "dress/1.jpg": "Images/dress/1.jpg",
    }


def test_what_has_an_equal_is_no_partner_for_others() -> None:
    assert match_ids(["a/1.jpg", "b/1.jpg"], ["a/1.jpg"]) == {"a/1.jpg": "a/1.jpg"}


def test_a_better_partner_is_not_taken_away() -> None:
    wanted, known = ["dress/1.jpg", "skirt/1.jpg"], ["Images/skirt/1.jpg"]
    assert match_ids(wanted, known) == {"skirt/1.jpg": "Images/skirt/1.jpg"}


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        (["1.jpg"], ["a/1.jpg", "b/1.jpg"]),
        (["a/1.jpg", "b/1.jpg"], ["1.jpg"]),
        (["x/1.jpg"], ["a/x/1.jpg", "b/x/1.jpg", "1.jpg"]),
        (["a/1.jpg"], ["a/2.jpg"]),
        (["a/1.jpg"], ["a/11.jpg"]),
        (["a/1.jpg"], ["a/1.JPG"]),
        (["", "/"], ["", "a"][1:]),
    ],
)
def test_nothing_is_guessed(wanted: list[str], known: list[str]) -> None:
    assert match_ids(wanted, known) == {}


def test_an_id_that_stands_twice() -> None:
    assert match_ids(["1.jpg", "1.jpg"], ["a/1.jpg", "a/1.jpg"]) == {"1.jpg": "a/1.jpg"}


def test_the_order_is_that_of_what_is_wanted() -> None:
    wanted = ["x/2.jpg", "1.jpg", "x/0.jpg"]
    assert [*match_ids(wanted, ["1.jpg", "0.jpg", "2.jpg"])] == wanted


def test_the_difference_is_told() -> None:
    wanted = ["Images/skirt/a.jpg", "Images/skirt/b.jpg"]
    assert difference_in_words(wanted, ["skirt/b.jpg", "skirt/a.jpg"]) == (
        "2 of 2 differ only in the folders before the name, such as 'Images/skirt/a.jpg' and"
        " 'skirt/a.jpg'"
    )
    assert difference_in_words(wanted, ["images/skirt/A.JPG", "c.jpg"]) == (
        "1 of 2 differ only in upper and lower case, such as 'Images/skirt/a.jpg' and"
        " 'images/skirt/A.JPG'"
    )
    assert difference_in_words(wanted, ["c.jpg"]) == ""


def test_files_without_a_common_id_are_not_compared() -> None:
    require_overlap(["a.jpg", "b.jpg"], ["b.jpg", "x/a.jpg"])
    require_overlap([], ["a.jpg"])
    require_overlap(["a.jpg"], [])
    with pytest.raises(UnmatchedIdsError, match=r"1 of 2 differ only in the folders"):
        require_overlap(["a.jpg", "b.jpg"], ["x/a.jpg"])
    with pytest.raises(UnmatchedIdsError, match=r"such as 'a\.jpg', the predictions 'c\.jpg'"):
        require_overlap(["a.jpg"], ["c.jpg"])
