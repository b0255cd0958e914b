"""Images a second on one core: our training pipeline against MMPose's stock RTMPose pipeline.

The stock pipeline is that of MMPose's RTMPose configs less `Albumentation`, which does not run
with albumentations 2. It gets its records as MMPose's own data sets hand them out, that is, with a
deep copy of the metainfo in each; what the transforms alone take is printed as well.
"""

from __future__ import annotations

import copy
import os
import random
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from common import fashionai_root, interleaved  # noqa: E402
from mmcv.transforms import Compose  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import DATASETS, TRANSFORMS  # noqa: E402

from fashionkp_mm.plugin.dataset import _METAINFO_IN_SAMPLES  # noqa: E402

CONFIG = Path(__file__).parents[1] / "configs" / "rtmpose_fashion.py"
IMAGES = 150
REPEATS = 7

Record = dict[str, Any]


def stock_pipeline(codec: Record) -> list[Record]:
    return [
        dict(type="LoadImage"),
        dict(type="GetBBoxCenterScale"),
        dict(type="RandomFlip", direction="horizontal"),
        dict(type="RandomHalfBody"),
        dict(type="RandomBBoxTransform", scale_factor=[0.75, 1.25], rotate_factor=40),
        dict(type="TopdownAffine", input_size=codec["input_size"]),
        dict(type="mmdet.YOLOXHSVRandomAug"),
        dict(type="GenerateTarget", encoder=dict(codec)),
        dict(type="PackPoseInputs"),
    ]


def measure(config: Config) -> None:
    settings = config.train_dataloader.dataset
    dataset = DATASETS.build(settings)
    chosen = np.linspace(0, len(dataset) - 1, IMAGES).astype(int).tolist()
    ours = [TRANSFORMS.build(step) for step in settings.pipeline]
    stock = [TRANSFORMS.build(step) for step in stock_pipeline(config.codec)]

    def stock_record(index: int) -> Record:
        record: Record = dataset.get_data_info(index)
        # As `BaseCocoStyleDataset.get_data_info` does.
        copied = {key: copy.deepcopy(record[key]) for key in _METAINFO_IN_SAMPLES}
        return {**record, **copied}

    def images_through(record: Callable[[int], Record], steps: list[Any]) -> Callable[[], None]:
        pipeline = Compose(steps)

        def run() -> None:
            np.random.seed(0)  # noqa: NPY002 - MMPose's transforms draw from it
            random.seed(0)
            for index in chosen:
                pipeline(record(index))

        return run

    for run in (images_through(dataset.get_data_info, ours), images_through(stock_record, stock)):
        run()
    quick, slow, plain = interleaved(
        REPEATS,
        images_through(dataset.get_data_info, ours),
        images_through(stock_record, stock),
        images_through(dataset.get_data_info, stock),
    )
    print(f"ours               {IMAGES / quick:6.1f} images/s")
    print(f"stock              {IMAGES / slow:6.1f} images/s, ratio {slow / quick:.2f} (aim: 1.5)")
    print(f"stock, our records {IMAGES / plain:6.1f} images/s, ratio {plain / quick:.2f}")
    for name, steps in (("ours", ours), ("stock", stock)):
        print(f"{name}, ms an image: {cost_of_steps(dataset, chosen, steps)}")


def cost_of_steps(dataset: Any, chosen: list[int], steps: list[Any]) -> str:
    seconds = dict.fromkeys((type(step).__name__ for step in steps), 0.0)
    for index in chosen:
        record = dataset.get_data_info(index)
        for step in steps:
            start = time.perf_counter()
            record = step(record)
            seconds[type(step).__name__] += time.perf_counter() - start
    return ", ".join(f"{name} {1000 * took / IMAGES:.2f}" for name, took in seconds.items())


def main() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    init_default_scope("mmpose")
    root = fashionai_root()
    with tempfile.TemporaryDirectory() as folder:
        if root:
            print(f"data: {IMAGES} images of {root}; medians of {REPEATS}")
        else:
            from fashionkp_mm.synthetic import write_dataset  # noqa: PLC0415

            root = Path(folder) / "data"
            write_dataset(root, images=40, seed=0)
            print(f"data: drawn garments, as FASHIONAI_ROOT is not there; medians of {REPEATS}")
        os.environ["FASHIONAI_ROOT"] = str(root)
        measure(Config.fromfile(CONFIG))


if __name__ == "__main__":
    main()
