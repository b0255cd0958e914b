"""Formats: size, rotation and pixels of every way to store a picture, and damage of every kind."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from picture_files import HEIGHT, ORIENTATION, WIDTH, picture, save
from PIL import Image

from fashionkp_mm.images import BrokenImageError, image_size, load_image
from fashionkp_mm.images import formats as image_formats
from fashionkp_mm.images.formats import (
    UnusableError,
    decode_pixels,
    image_suffixes,
    read_header,
    unread_suffixes,
)

SUFFIXES = ("jpg", "png", "webp", "avif", "tif", "bmp", "gif", "jp2", "ppm")
TURNED = ("jpg", "png", "webp", "avif", "tif")
"""Formats that can hold an orientation."""


def is_color(image: NDArray[np.uint8], at: tuple[int, int], rgb: tuple[int, int, int]) -> bool:
    x, y = at
    return bool(np.abs(image[y, x, ::-1].astype(int) - rgb).max() < 12)


class TestDecoding:
    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_formats(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"a.{suffix}"
        picture().save(path, **({"quality": 95} if suffix in {"jpg", "webp", "avif"} else {}))

        image = load_image(path)

        assert image.shape == (HEIGHT, WIDTH, 3)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
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

    def test_padding_behind_the_end_of_a_jpeg_is_harmless(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        picture().save(path)
        whole = load_image(path)
        path.write_bytes(path.read_bytes() + b"\0" * 100)

        assert np.array_equal(load_image(path), whole)

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("suffix", TURNED)
    def test_every_format_is_turned_like_its_jpeg(
        self, tmp_path: Path, suffix: str, orientation: int
    ) -> None:
        twin = load_image(save(tmp_path / "twin.jpg", orientation, quality=95))
        path = save(tmp_path / f"a.{suffix}", orientation)

        image = load_image(path)

        assert image.shape == twin.shape
        assert image_size(path) == (image.shape[1], image.shape[0])
        assert np.abs(image.astype(int) - twin).mean() < 8
        with path.open("rb") as file:
            assert read_header(file).orientation == orientation

    @pytest.mark.parametrize("bits", [8, 16])
    @pytest.mark.parametrize(("extra", "name"), [(0, "unsaid"), (2, "unassociated")])
    def test_transparency_darkens_no_tiff(
        self, tmp_path: Path, extra: int, name: str, bits: int
    ) -> None:
        pixels = np.dstack([np.asarray(picture()), np.full((HEIGHT, WIDTH), 60, np.uint8)])
        path = tmp_path / "a.tif"
        path.write_bytes(tiff(pixels, bits, extra))

        assert (load_image(path) == np.asarray(picture())[..., ::-1]).all()

    def test_colours_multiplied_by_their_transparency_are_divided_by_it(
        self, tmp_path: Path
    ) -> None:
        pixels = np.dstack([np.asarray(picture()) // 5, np.full((HEIGHT, WIDTH), 51, np.uint8)])
        path = tmp_path / "a.tif"
        path.write_bytes(tiff(pixels, 8, extra=1))

        assert (load_image(path) == np.asarray(picture())[..., ::-1]).all()

    @pytest.mark.parametrize("suffix", ["png", "tif"])
    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_of_sixteen_bits_the_upper_ones_are_taken(
        self, tmp_path: Path, suffix: str, channels: int
    ) -> None:
        path = tmp_path / f"a.{suffix}"
        shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
        cv2.imwrite(str(path), np.full(shape, 0x80C0, np.uint16))

        assert (load_image(path) == 0x80).all()

    def test_of_twelve_bits_the_upper_ones_are_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tif"
        pixels = np.full((HEIGHT, WIDTH * 3 // 2), 0x80, np.uint8)
        pixels[:, 1::3] = 0xC8
        pixels[:, 2::3] = 0x0C
        path.write_bytes(tiff(pixels, 12, width=WIDTH))

        assert (load_image(path) == 0x80).all()

    def test_gray_of_sixteen_bits_as_pgm(self, tmp_path: Path) -> None:
        path = tmp_path / "a.pgm"
        path.write_bytes(b"P5 2 1 65535\n" + struct.pack(">2H", 0x80C0, 0xFFFF))

        assert load_image(path)[0, :, 0].tolist() == [0x80, 0xFF]

    def test_a_jpeg_sampled_in_an_uncommon_way_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        picture().convert("CMYK").save(path, quality=95, subsampling=1)

        assert is_color(load_image(path), (5, 5), (255, 0, 0))

    def test_a_header_longer_than_the_first_read_is_read_on(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        picture().save(path, comment=b"x" * 60_000, exif=b"Exif\0\0" + b"\0" * 60_000)

        assert image_size(path) == (WIDTH, HEIGHT)

    def test_fill_bytes_may_stand_before_a_marker(self, tmp_path: Path) -> None:
        data = save(tmp_path / "a.jpg").read_bytes()
        (tmp_path / "a.jpg").write_bytes(data[:2] + b"\xff" * 100_000 + data[2:])

        assert image_size(tmp_path / "a.jpg") == (WIDTH, HEIGHT)
        assert load_image(tmp_path / "a.jpg").shape == (HEIGHT, WIDTH, 3)

    def test_pixels_are_opencvs_on_real_pictures(self, fashionai_root: Path) -> None:
        paths = sorted(fashionai_root.glob("*/Images/*/*.jpg"))[::40]

        for path in paths:
            assert (load_image(path) == cv2.imread(str(path))).all()


def tiff(
    pixels: NDArray[np.uint8], bits: int, extra: int | None = None, width: int | None = None
) -> bytes:
    """An uncompressed TIFF of pixels ``(H, W)`` or ``(H, W, 4)``.

    Args:
        pixels: Samples; with 16 bits each is the upper half of one.
        bits: Bits of a sample.
        extra: The meaning of the fourth channel: 0 none, 1 premultiplied, 2 plain transparency.
        width: The picture's, where samples are packed.
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    data = (pixels.astype("<u2") * 0x100 + 0x7F if bits == 16 else pixels).tobytes()
    entries = [
        (256, 4, 1, width or pixels.shape[1]),
        (257, 4, 1, pixels.shape[0]),
        (258, 3, channels, bits),
        (259, 3, 1, 1),
        (262, 3, 1, 1 if channels == 1 else 2),
        (273, 4, 1, 0),
        (277, 3, 1, channels),
        (278, 4, 1, pixels.shape[0]),
        (279, 4, 1, len(data)),
        *([] if extra is None else [(338, 3, 1, extra)]),
    ]
    behind = 8 + 2 + 12 * len(entries) + 4
    places = {258: behind if channels > 2 else bits, 273: behind + 2 * channels}
    parts = [
        struct.pack("<2H2I", tag, kind, count, places.get(tag, value))
        for tag, kind, count, value in entries
    ]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(parts) + bytes(4)
    return head + struct.pack(f"<{channels}H", *[bits] * channels) + data


class TestHeic:
    def test_without_its_package_the_message_names_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        path = tmp_path / "a.jpg"
        path.write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(100))

        with pytest.raises(BrokenImageError, match="HEIC image; `pip install pillow-heif`"):
            load_image(path)
        assert ".heic" in unread_suffixes()
        assert ".heic" not in image_suffixes()

    def test_with_it_the_picture_is_read(self, tmp_path: Path) -> None:
        heif = pytest.importorskip("pillow_heif")
        path = tmp_path / "a.heic"
        heif.from_pillow(picture()).save(path)

        assert is_color(load_image(path), (5, 5), (255, 0, 0))
        assert image_size(path) == (WIDTH, HEIGHT)
        assert ".heic" in image_suffixes()


class TestSuffixes:
    def test_are_those_that_pillow_has_for_the_formats(self) -> None:
        Image.init()
        of_pillow: dict[str, set[str]] = {}
        for suffix, name in Image.registered_extensions().items():
            of_pillow.setdefault(name, set()).add(suffix)
        formats = {"JPEG", "MPO", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "JPEG2000", "PPM"}
        expected = set().union(*(of_pillow[name] for name in formats)) - {".pfm"}

        assert image_suffixes() - {".heic", ".heif", ".hif"} == expected

    def test_are_read_or_not(self) -> None:
        assert image_suffixes().isdisjoint(unread_suffixes())
        assert ".dng" in unread_suffixes()


def as_bytes(suffix: str, options: dict[str, object]) -> bytes:
    file = io.BytesIO()
    picture().save(file, Image.registered_extensions()[f".{suffix}"], **options)
    return file.getvalue()


STORED = {
    (suffix, index): as_bytes(suffix, options)
    for suffix in SUFFIXES
    for index, options in enumerate(
        [{}, {"progressive": True}] if suffix == "jpg" else [{}, {"lossless": True}]
    )
}


class TestDamage:
    """Whatever becomes of a file, it is a picture of the size its header says, or refused."""

    @staticmethod
    def outcome(data: bytes) -> str:
        try:
            header = read_header(io.BytesIO(data))
            if np.prod(header.size) > 10**6:
                return "too large"
            image = decode_pixels(data, header)
        except UnusableError as error:
            assert str(error)
            return "refused"
        assert image.shape == (*header.size[::-1], 3)
        return "read"

    @pytest.mark.parametrize("stored", STORED, ids=lambda key: f"{key[0]}{key[1]}")
    def test_a_whole_file_is_read(self, stored: tuple[str, int]) -> None:
        assert self.outcome(STORED[stored]) == "read"

    @pytest.mark.parametrize("stored", STORED, ids=lambda key: f"{key[0]}{key[1]}")
    def test_the_first_half_of_a_file_is_refused(self, stored: tuple[str, int]) -> None:
        data = STORED[stored]

        assert self.outcome(data[: len(data) // 2]) == "refused"

    def test_a_png_whose_checksum_tells_is_refused(self) -> None:
        file = io.BytesIO()
        gradient = np.add.outer(np.arange(40) ** 2, np.arange(30) * 3).astype(np.uint8)
        Image.fromarray(gradient).save(file, "PNG")
        whole = file.getvalue()
        start, stop = whole.index(b"IDAT") + 4, whole.index(b"IEND") - 8

        for place in range(start, stop):
            for bit in range(8):
                data = bytearray(whole)
                data[place] ^= 1 << bit
                assert self.outcome(bytes(data)) == "refused", (place, bit)

    @pytest.mark.parametrize("options", [{}, {"irreversible": True}])
    def test_a_jpeg_2000_without_its_end_is_refused(self, options: dict[str, object]) -> None:
        data = as_bytes("jp2", options)

        for length in range(60, len(data) - 1):
            assert self.outcome(data[:length]) == "refused", length

    @settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def test_flipped_cut_and_repeated_bytes(self, data: st.DataObject) -> None:
        content = bytearray(STORED[data.draw(st.sampled_from(sorted(STORED)))])
        for _ in range(data.draw(st.integers(1, 6))):
            place = data.draw(st.integers(0, len(content) - 1))
            what = data.draw(st.sampled_from(["byte", "cut", "drop", "repeat", "zeros"]))
            stop = min(len(content), place + data.draw(st.integers(1, 64)))
            if what == "byte":
                content[place] = data.draw(st.integers(0, 255))
            elif what == "cut" and place:
                del content[place:]
            elif what == "drop" and stop - place < len(content):
                del content[place:stop]
            elif what == "repeat":
                content[place:place] = content[place:stop]
            elif what == "zeros":
                content[place:stop] = bytes(stop - place)

        self.outcome(bytes(content))

    @settings(deadline=None, max_examples=200)
    @given(tail=st.binary(max_size=200), start=st.sampled_from(sorted(STORED)))
    def test_anything_behind_a_formats_first_bytes(
        self, tail: bytes, start: tuple[str, int]
    ) -> None:
        for length in (4, 16, 64):
            self.outcome(STORED[start][:length] + tail)

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_no_picture_at_all(self, data: bytes) -> None:
        assert self.outcome(data) in ("refused", "too large", "read")

    @pytest.mark.parametrize(
        "error", [NotImplementedError(), RuntimeError("x"), struct.error("x"), MemoryError()]
    )
    def test_whatever_a_decoder_raises_is_a_refusal(
        self, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(image: Image.Image) -> None:
            raise error

        monkeypatch.setattr(image_formats, "_eight_bit_bgr", fail)

        with pytest.raises(BrokenImageError, match=r"damaged|memory"):
            load_image(save(tmp_path / "a.png"))
