"""Image files: every way in which one is stored, broken or odd."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fashionkp_mm.core.garments import KEYPOINT_INDEX, NUM_KEYPOINTS, Visibility
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.images import (
    MAX_PIXELS,
    BrokenImageError,
    ImageReport,
    image_size,
    inspect_images,
    load_image,
)

WIDTH, HEIGHT = 60, 40
ORIENTATION = 0x0112


def picture() -> Image.Image:
    """Red in its upper left quarter, blue in its lower right one, white elsewhere."""
    pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    pixels[: HEIGHT // 2, : WIDTH // 2] = (255, 0, 0)
    pixels[HEIGHT // 2 :, WIDTH // 2 :] = (0, 0, 255)
    return Image.fromarray(pixels)


def is_color(image: NDArray[np.uint8], at: tuple[int, int], rgb: tuple[int, int, int]) -> bool:
    x, y = at
    return bool(np.abs(image[y, x, ::-1].astype(int) - rgb).max() < 12)


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


def png_header(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that claims a size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 99)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def write_text(path: Path) -> None:
    path.write_text("<html>404 not found</html>")


def write_empty(path: Path) -> None:
    path.touch()


def write_truncated_jpeg(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:5000])


def write_truncated_jpeg_with_thumbnail(path: Path) -> None:
    """A thumbnail brings an end marker of its own."""
    thumbnail = path.with_name("thumbnail")
    picture().save(thumbnail, "JPEG")
    write_truncated_jpeg(path)
    data = thumbnail.read_bytes()
    segment = b"\xff\xe9" + struct.pack(">H", len(data) + 2) + data
    path.write_bytes(b"\xff\xd8" + segment + path.read_bytes()[2:])


def write_truncated_png(path: Path) -> None:
    picture().save(path, "PNG")
    path.write_bytes(path.read_bytes()[:90])


def write_header_of_jpeg(path: Path) -> None:
    picture().save(path, "JPEG")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\xff\xda")])


def write_bomb(path: Path) -> None:
    path.write_bytes(png_header(9460, 9460))


def write_larger_bomb(path: Path) -> None:
    path.write_bytes(png_header(1_000_000, 1_000_000))


def make_folder(path: Path) -> None:
    path.mkdir()


BROKEN: dict[Callable[[Path], None], str] = {
    write_text: "not an image",
    write_empty: "empty (0 bytes)",
    write_truncated_jpeg: "truncated, its end is missing",
    write_truncated_jpeg_with_thumbnail: "truncated, its end is missing",
    write_header_of_jpeg: "truncated, its end is missing",
    write_truncated_png: "truncated",
    write_bomb: "too large to be decoded (9460x9460 pixels)",
    write_larger_bomb: "too large to be decoded",
    make_folder: "cannot be read (Is a directory)",
}
parametrize_broken = pytest.mark.parametrize(
    ("write", "expected"), BROKEN.items(), ids=[write.__name__ for write in BROKEN]
)
# The test of a bomb gets Pillow's own warning as well.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


class TestLoadImage:
    @pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "gif", "tif"])
    def test_formats(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"a.{suffix}"
        picture().save(path, None, **({"quality": 95} if suffix in {"jpg", "webp"} else {}))

        image = load_image(path)

        assert image.shape == (HEIGHT, WIDTH, 3)
        assert image.dtype == np.uint8
        assert (image == cv2.imread(str(path))).all()
        assert is_color(image, (5, 5), (255, 0, 0))

    @pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "RGBA"])
    def test_modes(self, tmp_path: Path, mode: str) -> None:
        path = tmp_path / "a.png"
        stored = picture().convert(mode)
        stored.save(path)

        image = load_image(path)

        expected = np.asarray(stored.convert("RGB"))[..., ::-1]
        assert np.abs(image.astype(int) - expected).max() <= 1

    def test_transparency_is_dropped(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        pixels[..., 1] = 200
        Image.fromarray(pixels).save(path)

        assert is_color(load_image(path), (5, 5), (0, 200, 0))

    def test_cmyk_jpeg(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        picture().convert("CMYK").save(path, quality=95)

        image = load_image(path)

        assert is_color(image, (5, 5), (255, 0, 0))
        assert is_color(image, (WIDTH - 5, HEIGHT - 5), (0, 0, 255))

    def test_sixteen_bits_become_eight(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 0x8040, np.uint16))

        image = load_image(path)

        assert image.dtype == np.uint8
        assert (image == 0x80).all()

    @pytest.mark.parametrize(
        ("orientation", "red"),
        [(3, (WIDTH - 5, HEIGHT - 5)), (6, (HEIGHT - 5, 5)), (8, (5, WIDTH - 5))],
    )
    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
    def test_exif_rotation_is_applied(
        self, tmp_path: Path, suffix: str, orientation: int, red: tuple[int, int]
    ) -> None:
        path = tmp_path / f"a.{suffix}"
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        picture().save(path, exif=exif)

        image = load_image(path)

        assert is_color(image, red, (255, 0, 0))
        assert image_size(path) == (image.shape[1], image.shape[0])

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    @pytest.mark.parametrize("damage", [b"MM\0*\xff\xff\xff\xff", b"nonsense", b""])
    def test_damaged_exif_data_are_passed_over(self, tmp_path: Path, damage: bytes) -> None:
        path = tmp_path / "a.jpg"
        picture().save(path, exif=b"Exif\0\0" + damage)

        assert load_image(path).shape == (HEIGHT, WIDTH, 3)
        assert image_size(path) == (WIDTH, HEIGHT)
        assert inspected(tmp_path, "a.jpg").problems == []

    def test_padding_behind_the_end_of_a_jpeg_is_harmless(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        picture().save(path)
        whole = load_image(path)
        path.write_bytes(path.read_bytes() + b"\0" * 100)

        assert np.array_equal(load_image(path), whole)

    @parametrize_broken
    def test_broken(self, tmp_path: Path, write: Callable[[Path], None], expected: str) -> None:
        path = tmp_path / "a.jpg"
        write(path)

        with pytest.raises(BrokenImageError) as caught:
            load_image(path)

        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "replace the file or take its row out" in message
        assert expected in message

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(BrokenImageError, match="the image is missing"):
            load_image(tmp_path / "a.jpg")
        with pytest.raises(BrokenImageError, match="the image is missing"):
            image_size(tmp_path / "a.jpg")

    def test_a_bomb_is_refused_before_it_is_decoded(self, tmp_path: Path) -> None:
        side = int(MAX_PIXELS**0.5) + 1
        path = tmp_path / "a.png"
        # Decoded in full this would take 270 MB; the limit leaves no room for that.
        Image.new("L", (side, side)).save(path, compress_level=1)
        code = (
            "import resource, sys; from fashionkp_mm import images;"
            "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize();"
            "resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000,) * 2);"
            "images.load_image(sys.argv[1])"
        )

        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, path],
            capture_output=True,
            text=True,
            check=False,
        )

        assert "BrokenImageError" in run.stderr
        assert "too large to be decoded" in run.stderr


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
        read_bytes = Path.read_bytes

        def slow(path: Path) -> bytes:
            opened.append(path)
            time.sleep(0.02)
            return read_bytes(path)

        def interrupt(done: int) -> None:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Path, "read_bytes", slow)
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
