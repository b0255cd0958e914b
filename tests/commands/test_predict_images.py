"""`fashionkp predict` on images that are called, stored or broken in all the ways there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from picture_files import (
    make_link_to_device,
    make_pipe,
    picture,
    save,
    write_damaged_avif,
    write_dds,
    write_half_jpeg_with_end,
    write_sparse,
)
from typer.testing import CliRunner

from fashionkp_mm.cli import app
from fashionkp_mm.core.csv_format import read_predictions
from fashionkp_mm.core.garments import CATEGORY_NAMES

BROKEN = (
    make_pipe,
    make_link_to_device,
    write_sparse,
    write_dds,
    write_damaged_avif,
    write_half_jpeg_with_end,
)


def run(*args: object, stdin: bytes | None = None) -> Result:
    runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})
    return runner.invoke(app, ["predict", *map(str, args)], input=stdin)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with four pictures in ``f``."""
    for name in ("blouse/a.jpg", "blouse/b.png", "skirt/a.jpg", "skirt/c.avif"):
        path = tmp_path / "f" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestCategories:
    def test_of_ids_with_another_prefix(self, root: Path, model: Path) -> None:
        Path("c.csv").write_text(
            "image_id,image_category\nImages/blouse/a.jpg,blouse\nImages/blouse/b.png,blouse\n"
            "Images/skirt/a.jpg,skirt\nImages/skirt/c.avif,skirt\n"
        )

        result = run("f", "--model", model, "--categories", "c.csv")

        assert result.exit_code == 0, result.output
        assert "4 images found in c.csv by the end of the path" in result.stderr
        table = read_predictions("predictions.csv")
        names = [CATEGORY_NAMES[index] for index in table.category_indices]
        assert names == ["blouse", "blouse", "skirt", "skirt"]

    def test_of_no_image_at_all_are_an_error_before_the_first(
        self, root: Path, model: Path
    ) -> None:
        Path("c.csv").write_text("image_id,image_category\nImages/blouse/x.jpg,blouse\n")

        result = run("f", "--model", model, "--categories", "c.csv")

        assert result.exit_code == 1
        assert "c.csv holds none of the 4 images" in result.stderr
        assert "blouse/a.jpg" in result.stderr
        assert not list(root.glob("*predictions*"))


class TestBrokenImages:
    def test_are_named_and_the_rest_goes_on(self, root: Path, model: Path) -> None:
        for write in BROKEN:
            write(root / "f" / f"{write.__name__}.jpg")

        result = run("f", "--model", model)

        assert result.exit_code == 1
        assert "4 images predicted" in result.stdout
        for write in BROKEN:
            assert f"error: f/{write.__name__}.jpg: " in result.stderr
        assert "Traceback" not in result.output

    def test_impossible_paths_too(self, root: Path, model: Path) -> None:
        paths = [b"f/skirt/a.jpg", b"x" * 300 + b".jpg", b"f/skirt/c.avif", b""]

        result = run("-", "--model", model, stdin=b"\0".join(paths))

        assert result.exit_code == 1
        assert "2 images predicted" in result.stdout
        assert "x.jpg: the image cannot be read (File name too long)" in result.stderr

    def test_the_limit_of_pixels_is_an_option(self, root: Path, model: Path) -> None:
        picture().resize((1200, 900)).save("large.png")

        refused = run("large.png", "--model", model, "--max-megapixels", 1)
        taken = run("large.png", "--model", model, "--max-megapixels", 1.1)

        assert refused.exit_code == 1
        assert "1200x900 pixels); expected at most 1 megapixels; --max-megapixels" in refused.stderr
        assert taken.exit_code == 0, taken.output

    def test_files_that_are_not_read_are_counted(self, root: Path, model: Path) -> None:
        Path("f/x.psd").touch()

        result = run("f", "--model", model)

        assert result.exit_code == 0
        assert "note: 1 file left out for want of a reader (.psd 1)" in result.stderr


def test_images_of_a_csv_from_another_folder(
    root: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "my" / "lists").mkdir(parents=True)
    monkeypatch.chdir("my/lists")
    Path("test.csv").write_text("image_id,image_category\nblouse/a.jpg,blouse\n")

    without = run("test.csv", "--model", model)
    named = run("test.csv", "--images", "../../f", "--model", model)

    assert without.exit_code == 1
    assert f"is in {root}/my/lists or {root}/my; expected" in without.stderr
    assert named.exit_code == 0, named.output
    assert read_predictions("predictions.csv").image_ids == ("blouse/a.jpg",)


def test_a_folder_of_images_for_no_csv_is_a_usage_error(root: Path, model: Path) -> None:
    result = run("f", "--images", "f", "--model", model)

    assert result.exit_code == 2
    assert "--images is for CSV files" in result.output
