"""What opening a picture costs beyond decoding it, and how much of `predict`'s time that is.

    FASHIONAI_ROOT=… python benchmarks/image_loading.py

The same files are read and decoded by OpenCV alone and by `load_image`, and their headers by
`image_size`, as `fashionkp predict` does before it; all on one thread. The checks are what the two
take beyond OpenCV. `predict` runs the network that comes with the package, a batch at a time.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
from common import fashionai_root, interleaved

from fashionkp_mm.images import image_size, load_image
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.synthetic import write_dataset

BATCH = 32
REPEATS = 9
TARGET = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    repeats = parser.parse_args().repeats
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = picture_paths(Path(folder))
        differing = sum(bool((bare(path) != load_image(path)).any()) for path in paths)
        predictor = FashionPredictor(batch_size=BATCH)
        seconds = interleaved(
            repeats,
            lambda: [bare(path) for path in paths],
            lambda: [load_image(path) for path in paths],
            lambda: [image_size(path) for path in paths],
            lambda: predictor.predict(paths),
        )
    decoded, loaded, sized, predicted = (1000 * value / len(paths) for value in seconds)
    checks = loaded + sized - decoded
    print(f"{len(paths)} JPEG files, medians of {repeats}; {differing} decoded differently")
    print("| milliseconds an image | |")
    print("|---|---|")
    print(f"| read, and decoded by OpenCV alone | {decoded:.2f} |")
    print(f"| `load_image` | {loaded:.2f} |")
    print(f"| `image_size` | {sized:.3f} |")
    print(f"| `predict`, batches of {BATCH} | {predicted:.1f} |")
    share = 100 * checks / predicted
    print(f"| checks, of `predict` | {share:+.1f} % (target: at most {TARGET} %) |")


def bare(path: str) -> np.ndarray:
    """What there would be without any check."""
    return cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)


def picture_paths(folder: Path) -> list[str]:
    """Four batches of files: real ones, or drawn garments where there are none."""
    root = fashionai_root()
    if root is None:
        root = folder / "drawn"
        write_dataset(root, images=16 * BATCH, seed=0)
        print("data: drawn garments, as FASHIONAI_ROOT is not there")
    found = sorted((root / "val").rglob("*.jpg"))
    chosen = np.linspace(0, len(found) - 1, 4 * BATCH).astype(int)
    return [str(found[index]) for index in chosen]


if __name__ == "__main__":
    main()
