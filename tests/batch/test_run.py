"""A task over pictures whose garments stand in a file, interrupted and gone on with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fashionkp_mm.applications import GarmentError
from fashionkp_mm.batch.journal import Journal
from fashionkp_mm.batch.origins import GarmentFile
from fashionkp_mm.batch.run import BatchRun, Done, kept_fits, of_each_garment
from fashionkp_mm.batch.sources import InputError, Source, Sources
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.runtime import Garment, Prediction

NAMES = ["a.png", "b/c.png", "d.png"]


class Counting:
    """Writes a file a picture, and a line a picture; has no use for trousers."""

    writes_pictures = True

    def __init__(self, folder: Path, stop_at: str = "") -> None:
        self.folder, self.stop_at = folder, stop_at
        self.worked: list[str] = []

    def work(self, source: Source, prediction: Prediction) -> Done:
        if source.image_id == self.stop_at:
            raise OSError("disk full")
        self.worked.append(source.image_id)
        height, width = prediction.image().shape[:2]

        def category(_: int, garment: Garment) -> str:
            if garment.category == "trousers":
                raise GarmentError("no trousers, please")
            return garment.category

        found, failures = of_each_garment(source, prediction, category)
        file = self.folder / f"{source.image_id}.txt"
        write_atomically(file, f"{width}x{height}".encode())
        return Done(found, len(prediction), failures, (file,))

    def fits(self, content: Any) -> bool:
        return isinstance(content, list)

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        for image_id, found in contents:
            yield f"{image_id}: {' '.join(found)}\n".encode()


@pytest.fixture
def predictions(garment: Callable[..., Garment], tmp_path: Path) -> Path:
    """A file of three pictures, the second with two garments; the pictures lie beside it."""
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.zeros((48, 64, 3), np.uint8))
    garments = [
        garment("dress", image_id="a.png"),
        garment("skirt", image_id="b/c.png"),
        garment("trousers", image_id="b/c.png"),
        garment("blouse", image_id="d.png"),
    ]
    path = tmp_path / "p.json"
    path.write_text(json.dumps([one.to_dict() for one in garments]))
    return path


def sources_of(origin: GarmentFile, *paths: str, images: Path | None = None) -> Sources:
    return origin.sources(paths, [], images=images, leave_out=None)


def run(
    predictions: Path, out: Path, task: Counting, *, resume: bool = False
) -> tuple[BatchRun, Sources]:
    origin = GarmentFile(predictions, labels=False, opens_pictures=True)
    sources = sources_of(origin)
    made_by = origin.made_by()
    with Journal(out, made_by, command="count", resume=resume, fits=kept_fits(task)) as journal:
        batch = BatchRun(sources, task, journal)
        batch.work(origin, lambda done: None)
        batch.write(out)
    return batch, sources


def test_a_garment_that_fails_is_named_and_the_rest_goes_on(
    predictions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "counts.txt"
    _, sources = run(predictions, out, Counting(out.parent))

    assert out.read_text() == "a.png: dress\nb/c.png: skirt\nd.png: blouse\n"
    assert sources.failures == ["b/c.png, garment 1: no trousers, please"]
    assert (out.parent / "b/c.png.txt").read_text() == "64x48"


@pytest.mark.parametrize("missing", [None, "b/c.png.txt"])
def test_an_interrupted_run_goes_on(predictions: Path, tmp_path: Path, missing: str | None) -> None:
    """Also after a file that belongs to a picture is gone, and with what failed before."""
    whole, out = tmp_path / "whole" / "counts.txt", tmp_path / "out" / "counts.txt"
    run(predictions, whole, Counting(whole.parent))
    with pytest.raises(OSError, match="disk full"):
        run(predictions, out, Counting(out.parent, stop_at="d.png"))
    if missing:
        (out.parent / missing).unlink()

    again = Counting(out.parent)
    batch, sources = run(predictions, out, again, resume=True)

    assert again.worked == (["b/c.png", "d.png"] if missing else ["d.png"])
    assert batch.kept == 3 - len(again.worked)
    assert sources.failures == ["b/c.png, garment 1: no trousers, please"]
    written = {path.relative_to(out.parent): path.read_bytes() for path in files(out.parent)}
    assert written == {
        path.relative_to(whole.parent): path.read_bytes() for path in files(whole.parent)
    }


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_broken_picture_is_named(predictions: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    out = tmp_path / "out" / "counts.txt"

    _, sources = run(predictions, out, Counting(out.parent))

    assert out.read_text() == "b/c.png: skirt\nd.png: blouse\n"
    assert sources.failures[0].startswith(f"{tmp_path / 'a.png'}: ")


class TestPicturesOfAFile:
    def test_are_found_around_it_or_below_a_folder(self, predictions: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        moved = shutil.copy(predictions, tmp_path / "elsewhere" / "p.json")
        for path, images in ((predictions, None), (Path(moved), tmp_path)):
            origin = GarmentFile(path, labels=False, opens_pictures=True)
            found = sources_of(origin, images=images).found
            assert [source.path for source in found] == [tmp_path / name for name in NAMES]

    def test_that_is_missing_is_a_failure(self, predictions: Path, tmp_path: Path) -> None:
        (tmp_path / "d.png").unlink()
        origin = GarmentFile(predictions, labels=False, opens_pictures=True)
        sources = sources_of(origin)
        assert [source.image_id for source in sources.found] == NAMES[:2]
        assert sources.failures == [f"d.png: the image is missing; {predictions} names it"]

    def test_need_not_be_there_where_none_is_opened(self, predictions: Path) -> None:
        for name in NAMES:
            (predictions.parent / name).unlink()
        origin = GarmentFile(predictions, labels=False, opens_pictures=False)

        sources = sources_of(origin)

        assert [source.image_id for source in sources.found] == NAMES
        found = list(origin.predictions(sources.found))
        assert [len(prediction) for prediction in found] == [1, 2, 1]
        assert found[0].image_size == (64, 48)

    def test_of_another_size_than_before_is_an_error(self, predictions: Path) -> None:
        cv2.imwrite(str(predictions.parent / "a.png"), np.zeros((96, 128, 3), np.uint8))
        origin = GarmentFile(predictions, labels=False, opens_pictures=True)
        first, *others = origin.predictions(sources_of(origin).found)
        assert "a.png: the picture is 128x96 pixels" in str(first.error)
        assert all(other.error is None for other in others)

    def test_that_are_named_are_found_by_the_end_of_the_path(self, predictions: Path) -> None:
        folder = predictions.parent
        cv2.imwrite(str(folder / "e.png"), np.zeros((48, 64, 3), np.uint8))
        origin = GarmentFile(predictions, labels=False, opens_pictures=True)

        sources = sources_of(origin, str(folder / "b"), str(folder / "e.png"))

        assert [source.image_id for source in sources.found] == ["c.png"]
        assert sources.failures == [
            f"{folder.as_posix()}/e.png: {predictions} tells of no garment in it"
        ]
        (prediction,) = origin.predictions(sources.found)
        assert [garment.category for garment in prediction] == ["skirt", "trousers"]
        assert prediction[0].image_id == "c.png"

    def test_of_a_folder_of_labels(self, predictions: Path, tmp_path: Path) -> None:
        """One of labelme's files a picture; the journal is to notice when one of them changes."""
        folder = tmp_path / "labelme"
        folder.mkdir()
        for name in ("a", "d"):
            shutil.copy(tmp_path / f"{name}.png", folder)
            shapes = [
                {"label": point, "points": [[9.0 + 9 * k, 9.0]], "shape_type": "point"}
                for k, point in enumerate(("waistband_left", "waistband_right", "hemline_left"))
            ]
            corners = [[0.0, 0.0], [60.0, 40.0]]
            shapes.append({"label": "skirt", "points": corners, "shape_type": "rectangle"})
            facts = {"imagePath": f"{name}.png", "imageHeight": 48, "imageWidth": 64}
            labels = {**facts, "shapes": shapes, "version": "5.5.0"}
            (folder / f"{name}.json").write_text(json.dumps(labels))

        origin = GarmentFile(folder, labels=True, opens_pictures=True)

        assert [source.image_id for source in sources_of(origin).found] == ["a.png", "d.png"]
        assert origin.files() == [folder / "a.json", folder / "d.json"]
        before = origin.made_by()
        (folder / "d.json").write_text((folder / "d.json").read_text() + " ")
        assert origin.made_by() != before

    def test_that_it_does_not_tell_of_are_refused(self, predictions: Path) -> None:
        origin = GarmentFile(predictions, labels=False, opens_pictures=True)
        with pytest.raises(InputError, match="tells of none of the 1 picture"):
            sources_of(origin, "x.png")
