"""Opening image files: regular ones of a sane size only, and what is wrong with the others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from picture_files import HEIGHT, WIDTH, parametrize_broken, save
from PIL import Image

from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.images import BrokenImageError, image_size, load_image


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
