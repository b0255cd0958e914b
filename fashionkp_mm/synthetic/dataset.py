"""A drawn data set on disk, in the FashionAI layout."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from fashionkp_mm.core.csv_format import write_labels
from fashionkp_mm.core.files import staged_folder
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES, NUM_KEYPOINTS
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.synthetic.drawing import CUTS, SyntheticGarment, synthesize_garment

JPEG_QUALITY = 92
VAL_ROUND, ROUNDS = 1, 6
"""Of every six rounds through the categories the second one goes to val."""


def write_dataset(
    out: Path,
    images: int,
    seed: int,
    *,
    progress: Callable[[int], None] | None = None,
    workers: int = 1,
) -> tuple[Path, ...]:
    """Draw a data set.

    Writes ``OUT/{train,val}/Images/<category>/<32 hex>.jpg``, named by the MD5 of their bytes as
    FashionAI's are, with ``OUT/{train,val}/Annotations/{train,val}.csv``. The categories take
    turns. An image depends on ``seed`` and its number alone, not on ``images`` or ``workers``. The
    data set appears as a whole or, when anything fails, not at all.

    Args:
        out: Folder to write to; it must not exist or be empty.
        images: How many to draw in all; one round of categories in six, the second one first,
            goes to val.
        seed: At least 0. The same seed gives the same bytes on the same versions of NumPy and
            OpenCV.
        progress: Called with the number of images written so far after each one.
        workers: Number of processes that draw. A script that asks for more than one needs the
            ``if __name__ == "__main__":`` guard that :mod:`multiprocessing` calls for.

    Returns:
        Paths of ``train.csv`` and ``val.csv``. Val needs a second round of the categories: with
        five categories it is not there below six images, and has all of them from ten on.

    Raises:
        ValueError: ``images`` or ``workers`` is below 1, or ``seed`` below 0.
        FileExistsError: ``out`` is a file, or a folder that is not empty.
    """
    for name, value, least in (("images", images, 1), ("workers", workers, 1), ("seed", seed, 0)):
        if value < least:
            raise ValueError(f"{name} is {value}: it must be at least {least}")
    rows: dict[str, list[tuple[str, SyntheticGarment]]] = {"train": [], "val": []}
    with staged_folder(out) as stage:
        for done, (garment, jpeg) in enumerate(_drawn(images, seed, workers), start=1):
            split = split_of(done - 1)
            name = hashlib.md5(jpeg, usedforsecurity=False).hexdigest()
            image_id = f"Images/{garment.category}/{name}.jpg"
            path = stage / split / image_id
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg)
            rows[split].append((image_id, garment))
            if progress is not None:
                progress(done)
        for split, drawn in rows.items():
            if drawn:
                write_labels(stage / split / "Annotations" / f"{split}.csv", _table(drawn))
    return tuple(
        out / split / "Annotations" / f"{split}.csv" for split, drawn in rows.items() if drawn
    )


def split_of(index: int) -> str:
    """``"train"`` or ``"val"``: where the image of this number, from 0, goes."""
    return "val" if index // len(_drawable()) % ROUNDS == VAL_ROUND else "train"


def draw_image(index: int, seed: int) -> SyntheticGarment:
    """The image of this number, from 0, of the data set of this seed."""
    names = _drawable()
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
    return synthesize_garment(rng, names[index % len(names)])


def _drawable() -> list[str]:
    """The categories that have a cut, in their order."""
    return [name for name in CATEGORY_NAMES if name in CUTS]


def _encoded(job: tuple[int, int]) -> tuple[SyntheticGarment, bytes]:
    garment = draw_image(*job)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    done, data = cv2.imencode(".jpg", garment.image, quality)
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG")
    return garment, data.tobytes()


def _drawn(images: int, seed: int, workers: int) -> Iterator[tuple[SyntheticGarment, bytes]]:
    """The images in order, each with its file's bytes."""
    jobs = ((index, seed) for index in range(images))
    if workers == 1:
        yield from map(_encoded, jobs)
        return
    # Spawned, not forked: the caller may hold threads of torch or OpenCV.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        try:
            yield from pool.map(_encoded, jobs, chunksize=8)
        finally:
            pool.shutdown(cancel_futures=True)


def _table(rows: list[tuple[str, SyntheticGarment]]) -> KeypointTable:
    garments = [garment for _, garment in rows]
    count = len(rows)
    keypoints = np.array([g.keypoints for g in garments], dtype=np.float32)
    visibility = np.array([g.visibility for g in garments], dtype=np.int8)
    return KeypointTable(
        image_ids=tuple(image_id for image_id, _ in rows),
        category_indices=np.array([CATEGORY_INDEX[g.category] for g in garments], dtype=np.int8),
        keypoints=keypoints.reshape(count, NUM_KEYPOINTS, 2),
        visibility=visibility.reshape(count, NUM_KEYPOINTS),
        rows=np.arange(2, count + 2, dtype=np.int64),
    )
