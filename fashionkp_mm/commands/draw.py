"""``fashionkp draw``: labels or predictions on their images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.commands import terminal
from fashionkp_mm.core.annotations import KeypointTable, locate_images, read_predictions
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.drawing import contact_sheet, draw_garment
from fashionkp_mm.images import BrokenImageError, load_image

SHEET_COLUMNS, SHEET_ROWS, SHEET_TILE = 6, 4, 320
"""An even number of columns keeps labels and predictions side by side."""
_Image = NDArray[np.uint8]
_SUFFIXES = {".jpg", ".jpeg", ".png"}
_JPEG_QUALITY = 92
_MAX_NAMED = 5


def run(
    csv: Path,
    out: Path,
    *,
    images: Path | None,
    predictions: Path | None,
    limit: int | None,
    names: bool,
    sheet: bool,
) -> int:
    """Draw the garments of a file, one picture an image.

    Args:
        csv: Labels or predictions.
        out: Folder to write to; pictures keep their ids as names.
        images: Folder that the image ids start from; found beside the CSV by default.
        predictions: Predictions to draw beside the points of ``csv``.
        limit: How many images to draw, spread evenly over the file; all by default.
        names: Whether to write the keypoints' names.
        sheet: Whether to write contact sheets as well.

    Returns:
        Exit status: 1 if an image could not be drawn.
    """
    failures: list[str] = []
    with terminal.one_message():
        # Whatever can be drawn may be drawn: the rules that labels obey are `check`'s business.
        table = terminal.read(read_predictions, csv)
        beside = None if predictions is None else terminal.read(read_predictions, predictions)
        if limit is not None and limit < len(table):
            table = table.select(np.linspace(0, len(table) - 1, limit).round().astype(np.intp))
        found = _locate(table, csv, images)
        targets = {image_id: _target(out, image_id) for image_id in table.image_ids}
        _require_apart(found, targets, out)

        if beside is not None:
            failures.extend(_without_prediction(table, beside, predictions))
        painter = _Painter(table, beside, found, names=names)
        pages: list[Path] = []
        page: list[tuple[str, _Image]] = []
        with terminal.progress("drawing", len(table)) as progress:
            for done, (image_id, panels) in enumerate(painter.pictures(failures), start=1):
                if panels:
                    _write(targets[image_id], _side_by_side(panels))
                progress(done)
                if not sheet:
                    continue
                name = image_id.rpartition("/")[2]
                page += [(f"{what} {name}".strip(), panel) for what, panel in panels]
                if page and (len(page) >= SHEET_COLUMNS * SHEET_ROWS or done == len(table)):
                    pages.append(out / f"sheet-{len(pages) + 1:03}.jpg")
                    _write_sheet(pages[-1], page)
                    page = []

    console = terminal.out()
    console.print(
        f"{painter.drawn:,} of {len(table):,} images drawn below {out}",
        markup=False,
        soft_wrap=True,
    )
    for path in pages:
        console.print(f"contact sheet: {path}", markup=False, soft_wrap=True)
    for failure in failures:
        terminal.say("error", failure)
    return 1 if failures else 0


class _Painter:
    """Draws the rows of a table one after the other."""

    def __init__(
        self,
        table: KeypointTable,
        beside: KeypointTable | None,
        found: dict[str, Path],
        *,
        names: bool,
    ) -> None:
        self.table = table
        self.beside = beside
        self.row_beside = {name: row for row, name in enumerate(beside.image_ids)} if beside else {}
        self.found = found
        self.names = names
        self.drawn = 0

    def pictures(self, failures: list[str]) -> Iterator[tuple[str, list[tuple[str, _Image]]]]:
        """Each row's id and pictures with what they show; where there is none, a failure is added.

        That is one picture, or one of the labels and one of the predictions.
        """
        for row, image_id in enumerate(self.table.image_ids):
            try:
                panels = self._panels(row)
            except BrokenImageError as error:
                failures.append(str(error))
                yield image_id, []
            else:
                self.drawn += 1
                yield image_id, panels

    def _panels(self, row: int) -> list[tuple[str, _Image]]:
        table, image_id = self.table, self.table.image_ids[row]
        if image_id not in self.found:
            raise BrokenImageError(f"{image_id}: the image is missing; name its root by --images")
        image = load_image(self.found[image_id])
        category = CATEGORY_NAMES[table.category_indices[row]]
        visibility = table.visibility[row]
        drawn = draw_garment(image, table.keypoints[row], visibility, category, names=self.names)
        if self.beside is None:
            return [("", drawn)]
        if image_id not in self.row_beside:
            return [("labels", drawn), ("no prediction", image)]
        predicted = self.beside.keypoints[self.row_beside[image_id]]
        # The garment's points as labelled: an entry fills all 24, whatever the garment has.
        other = draw_garment(image, predicted, visibility, category, names=self.names)
        return [("labels", drawn), ("predictions", other)]


def _side_by_side(panels: list[tuple[str, _Image]]) -> _Image:
    if len(panels) == 1:
        return panels[0][1]
    captions, pictures = zip(*panels, strict=True)
    tile = max(pictures[0].shape[:2])
    return contact_sheet(pictures, columns=len(pictures), tile=tile, captions=captions)


def _locate(table: KeypointTable, csv: Path, images: Path | None) -> dict[str, Path]:
    """Paths by image id; without a folder given, from the ones around the CSV."""
    around = [csv.parent, csv.parent.parent] if images is None else [images]
    for root in around:
        found = locate_images(table.image_ids, root)
        if found:
            return found
    places = " or ".join(str(root) for root in around)
    raise FileNotFoundError(
        f"none of the {len(table):,} images of {csv} is in {places}; expected for instance"
        f" {around[0] / table.image_ids[0]}; name the folder that the image ids start from with"
        " --images"
    )


def _without_prediction(
    table: KeypointTable, beside: KeypointTable, predictions: Path | None
) -> Iterator[str]:
    predicted = set(beside.image_ids)
    missing = [image_id for image_id in table.image_ids if image_id not in predicted]
    if missing:
        named = ", ".join(missing[:_MAX_NAMED]) + (", …" if len(missing) > _MAX_NAMED else "")
        yield (
            f"{predictions} has no prediction for {terminal.plural(len(missing), 'image')},"
            f" drawn without: {named}"
        )


def _target(out: Path, image_id: str) -> Path:
    target = out / image_id
    if target.suffix.lower() in _SUFFIXES:
        return target
    return target.with_name(f"{target.name}.jpg")


def _require_apart(found: dict[str, Path], targets: dict[str, Path], out: Path) -> None:
    for image_id, source in found.items():
        if targets[image_id].resolve() == source.resolve():
            raise FileExistsError(
                f"drawing to {out} would overwrite the image {source} itself; name another folder"
            )


def _write(path: Path, image: _Image) -> None:
    suffix = ".png" if path.suffix.lower() == ".png" else ".jpg"
    _, data = cv2.imencode(suffix, image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    write_atomically(path, data.tobytes())


def _write_sheet(path: Path, page: list[tuple[str, _Image]]) -> None:
    captions, pictures = zip(*page, strict=True)
    sheet = contact_sheet(pictures, columns=SHEET_COLUMNS, tile=SHEET_TILE, captions=captions)
    _write(path, sheet)
