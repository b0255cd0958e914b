"""Pictures of a table: what is said of missing, broken and odd ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from picture_files import HEIGHT, ORIENTATION, WIDTH, parametrize_broken, picture, save
from PIL import Image

from fashionkp_mm.batch import image_checks
from fashionkp_mm.batch.image_checks import ImageReport, inspect_images
from fashionkp_mm.core.garments import KEYPOINT_INDEX, NUM_KEYPOINTS, Visibility
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.images.formats import UnusableError


def table(*ids: str, points: Mapping[str, tuple[float, float]] | None = None) -> KeypointTable:
    """A table of skirts that all have the same points."""
    keypoints = np.full((len(ids), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(ids), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    for name, xy in (points or {}).items():
        keypoints[:, KEYPOINT_INDEX[name]] = xy
        visibility[:, KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    return KeypointTable(
        ids, np.full(len(ids), 3, np.int8), keypoints, visibility, np.arange(2, len(ids) + 2)
    )


def inspected(folder: Path, name: str) -> ImageReport:
    return inspect_images(table(name), folder, file="labels.csv")


class TestInspectImages:
    def test_good_images_have_no_problem(self, tmp_path: Path) -> None:
        picture().save(tmp_path / "a.jpg")
        picture().convert("L").save(tmp_path / "b.jpg")
        picture().convert("RGBA").save(tmp_path / "c.png")
        seen: list[int] = []
        inside = {"waistband_left": (0, 0), "hemline_right": (WIDTH - 1, HEIGHT - 1)}
        rows = table("a.jpg", "b.jpg", "c.png", points=inside)

        report = inspect_images(rows, tmp_path, file="labels.csv", progress=seen.append)

        assert report.problems == []
        assert report.usable == 3
        assert report.modes == {
            "colour": 1,
            "grayscale, used as three equal channels": 1,
            "with transparency, which is dropped": 1,
        }
        assert seen == [1, 2, 3]

    @pytest.mark.parametrize(
        ("mode", "suffix", "word"),
        [("CMYK", "jpg", "CMYK"), ("P", "png", "palette"), ("I;16", "png", "I;16")],
    )
    def test_says_how_an_image_is_stored(
        self, tmp_path: Path, mode: str, suffix: str, word: str
    ) -> None:
        picture().convert("L" if ";" in mode else mode).convert(mode).save(tmp_path / f"a.{suffix}")

        report = inspected(tmp_path, f"a.{suffix}")

        assert report.problems == []
        assert [word in name for name in report.modes] == [True]

    @parametrize_broken
    def test_broken(self, tmp_path: Path, write: Callable[[Path], None], expected: str) -> None:
        write(tmp_path / "a.jpg")

        report = inspected(tmp_path, "a.jpg")

        (problem,) = report.problems
        assert (problem.file, problem.row, problem.column) == ("labels.csv", 2, "image_id")
        assert (problem.value, problem.severity) == ("a.jpg", "error")
        assert expected in problem.message
        assert "replace the file or take the row out" in problem.message
        assert report.usable == 0

    def test_missing(self, tmp_path: Path) -> None:
        picture().save(tmp_path / "a.jpg")

        report = inspect_images(table("a.jpg", "b.jpg", "c.jpg"), tmp_path, file="labels.csv")

        assert [(problem.row, problem.value) for problem in report.problems] == [
            (3, "b.jpg"),
            (4, "c.jpg"),
        ]
        assert "missing" in report.problems[0].message
        assert report.usable == 1

    def test_an_interrupt_does_not_wait_for_the_rest(self, tmp_path: Path) -> None:
        ids = [f"{number}.jpg" for number in range(400)]
        for name in ids:
            (tmp_path / name).touch()
        opened: list[Path] = []

        def slow(path: Path, max_megapixels: float) -> None:
            opened.append(path)
            time.sleep(0.02)
            raise UnusableError("never mind")

        def interrupt(done: int) -> None:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(image_checks, "read_picture", slow)
            inspect_images(table(*ids), tmp_path, file="labels.csv", progress=interrupt)

        assert len(opened) < 200

    def test_a_wrong_folder_is_one_problem(self, tmp_path: Path) -> None:
        report = inspect_images(table("a.jpg", "b.jpg"), tmp_path, file="labels.csv")

        (problem,) = report.problems
        assert (problem.row, problem.value) == (0, str(tmp_path))
        assert "none of the 2 images" in problem.message

    def test_too_small(self, tmp_path: Path) -> None:
        Image.new("RGB", (1, 1)).save(tmp_path / "a.png")

        (problem,) = inspected(tmp_path, "a.png").problems

        assert problem.severity == "error"
        assert "1x1 pixels, too few" in problem.message

    def test_exif_rotation_is_a_warning(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        picture().save(tmp_path / "a.jpg", exif=exif)

        report = inspected(tmp_path, "a.jpg")

        (problem,) = report.problems
        assert problem.severity == "warning"
        assert f"as shown, {HEIGHT}x{WIDTH} pixels" in problem.message
        assert report.usable == 1

    @pytest.mark.parametrize("xy", [(WIDTH, 3), (3, HEIGHT), (WIDTH - 0.5, 3), (900, 900)])
    def test_a_point_outside_its_image_is_a_warning(
        self, tmp_path: Path, xy: tuple[float, float]
    ) -> None:
        picture().save(tmp_path / "a.jpg")
        rows = table("a.jpg", points={"waistband_left": (1, 1), "hemline_right": xy})

        (problem,) = inspect_images(rows, tmp_path, file="labels.csv").problems

        assert (problem.severity, problem.row, problem.column) == ("warning", 2, "hemline_right")
        assert problem.value == f"{xy[0]:g}_{xy[1]:g}_1"
        assert f"up to {WIDTH - 1} and y up to {HEIGHT - 1}" in problem.message

    def test_points_are_held_against_the_rotated_image(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        picture().save(tmp_path / "a.jpg", exif=exif)
        rows = table("a.jpg", points={"hemline_right": (HEIGHT - 1, WIDTH - 1)})

        report = inspect_images(rows, tmp_path, file="labels.csv")

        assert [problem.column for problem in report.problems] == ["image_id"]

    def test_predictions_may_lie_outside(self, tmp_path: Path) -> None:
        picture().save(tmp_path / "a.jpg")
        rows = table("a.jpg", points={"hemline_right": (900, 900)})

        report = inspect_images(rows, tmp_path, file="entry.csv", labelled=False)

        assert report.problems == []

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    def test_damaged_exif_data_are_passed_over(self, tmp_path: Path) -> None:
        picture().save(tmp_path / "a.jpg", exif=b"Exif\0\0nonsense")

        assert inspected(tmp_path, "a.jpg").problems == []

    def test_a_name_in_another_case_is_named(self, tmp_path: Path) -> None:
        save(tmp_path / "a.JPG")
        save(tmp_path / "b.jpg")

        (problem,) = inspect_images(table("a.jpg", "b.jpg"), tmp_path, file="labels.csv").problems

        assert "there is a.JPG, and upper and lower case differ" in problem.message

    def test_the_limit_of_pixels_can_be_moved(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png")
        limit = WIDTH * HEIGHT / 1e6

        low = inspect_images(table("a.png"), tmp_path, file="x", max_megapixels=0.9 * limit)
        high = inspect_images(table("a.png"), tmp_path, file="x", max_megapixels=limit)

        assert "too large to be decoded (60x40 pixels)" in low.problems[0].message
        assert high.problems == []
