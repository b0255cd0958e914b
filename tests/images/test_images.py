"""Opening image files: regular ones of a sane size only, and what is wrong with the others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picture_files import HEIGHT, WIDTH, parametrize_broken, save
from PIL import Image

from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.images import (
    BrokenImageError,
    encode_image,
    image_size,
    load_image,
    load_transparent,
)


class TestLoadImage:
    @parametrize_broken
    def test_broken(self, tmp_path: Path, write: Callable[[Path], None], expected: str) -> None:
        path = tmp_path / "a.jpg"
        write(path)

        start = time.monotonic()
        with pytest.raises(BrokenImageError) as caught:
            load_image(path)

        assert time.monotonic() - start < 10
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
        side = int((MAX_MEGAPIXELS * 1e6) ** 0.5) + 1
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

    @pytest.mark.parametrize("load", [load_image, image_size])
    @pytest.mark.parametrize("name", ["x" * 300 + ".jpg", "a\0b.jpg", "there.jpg/a.jpg"])
    def test_impossible_paths(
        self, name: str, load: Callable[[str], object], tmp_path: Path
    ) -> None:
        save(tmp_path / "there.jpg")

        with pytest.raises(BrokenImageError, match="the image cannot be read"):
            load(os.path.join(tmp_path, name))  # noqa: PTH118  what a path may not hold

    @pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file"
    )
    def test_a_file_that_may_not_be_read(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.jpg")
        path.chmod(0)

        with pytest.raises(BrokenImageError, match="cannot be read \\(Permission denied\\)"):
            load_image(path)

    @pytest.mark.parametrize(("there", "named"), [("a.JPG", "a.jpg"), ("a.jpg", "a.JPG")])
    def test_a_suffix_in_another_case_is_named(
        self, there: str, named: str, tmp_path: Path
    ) -> None:
        save(tmp_path / there)

        with pytest.raises(BrokenImageError, match=rf"missing; there is {there}, and upper"):
            load_image(tmp_path / named)

    def test_links_are_followed(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png")
        (tmp_path / "link.png").symlink_to("a.png")

        assert image_size(tmp_path / "link.png") == (WIDTH, HEIGHT)

    @pytest.mark.parametrize("load", [load_image, image_size])
    def test_the_limit_of_pixels_can_be_moved(
        self, load: Callable[..., object], tmp_path: Path
    ) -> None:
        path = save(tmp_path / "a.png")
        limit = WIDTH * HEIGHT / 1e6

        load(path, max_megapixels=limit)
        with pytest.raises(BrokenImageError, match=r"60x40 pixels.*--max-megapixels"):
            load(path, max_megapixels=0.9 * limit)

    def test_the_limit_can_be_raised_beyond_pillows(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        Image.new("1", (20_000, 10_000)).save(path)

        with pytest.raises(BrokenImageError, match="too large to be decoded"):
            image_size(path)
        assert image_size(path, max_megapixels=200) == (20_000, 10_000)


class TestLoadTransparent:
    def test_colours_are_those_of_load_image_and_opacity_is_beside(self, tmp_path: Path) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8)
        path = tmp_path / "a.png"
        path.write_bytes(encode_image(pixels, ".png"))
        loaded = load_transparent(path)
        np.testing.assert_array_equal(loaded, pixels)
        np.testing.assert_array_equal(loaded[..., :3], load_image(path))

    @pytest.mark.parametrize("suffix", ["jpg", "png", "bmp"])
    def test_what_has_no_opacity_is_opaque(self, tmp_path: Path, suffix: str) -> None:
        path = save(tmp_path / f"a.{suffix}")
        loaded = load_transparent(path)
        np.testing.assert_array_equal(loaded[..., :3], load_image(path))
        assert (loaded[..., 3] == 255).all()

    def test_a_palette_with_a_clear_colour(self, tmp_path: Path) -> None:
        image = Image.new("P", (4, 3), 1)
        image.putpalette([0, 0, 0, 200, 100, 50])
        image.putpixel((2, 1), 0)
        image.save(tmp_path / "a.gif", transparency=0)
        loaded = load_transparent(tmp_path / "a.gif")
        expected = np.full((3, 4), 255)
        expected[1, 2] = 0
        np.testing.assert_array_equal(loaded[..., 3], expected)

    def test_it_is_turned_as_the_picture_is(self, tmp_path: Path) -> None:
        pixels = np.zeros((2, 3, 4), np.uint8)
        pixels[0, 0] = 255
        image = Image.fromarray(pixels)
        exif = Image.Exif()
        exif[0x0112] = 6  # shown turned by a quarter, clockwise
        image.save(tmp_path / "a.png", exif=exif)
        loaded = load_transparent(tmp_path / "a.png")
        assert loaded.shape == (3, 2, 4)
        assert np.argwhere(loaded[..., 3]).tolist() == np.argwhere(loaded[..., 0]).tolist()
        assert loaded[0, 1].tolist() == [255] * 4

    @parametrize_broken
    def test_broken(self, tmp_path: Path, write: Callable[[Path], None], expected: str) -> None:
        path = tmp_path / "a.jpg"
        write(path)
        with pytest.raises(BrokenImageError, match=re.escape(expected)):
            load_transparent(path)
