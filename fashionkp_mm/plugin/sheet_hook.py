"""What a model found, on one picture, after every validation and test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmpose.structures import PoseDataSample
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.images import load_image
from fashionkp_mm.plugin.dataset import FashionAIDataset
from fashionkp_mm.plugin.visualizer import predicted_visibility
from fashionkp_mm.visualization.keypoints import draw_garment
from fashionkp_mm.visualization.sheet import contact_sheet, fitted


@HOOKS.register_module()
class ContactSheetHook(Hook):
    """Draws predictions for some images, spread evenly over the data set, on one sheet.

    The sheet is ``predictions/epoch_N.jpg`` in the work directory, or ``predictions/test.jpg``.
    Points are those of the labelled category. Other data sets than `FashionAIDataset` are left
    alone; of several processes the first one draws what it has seen.

    Args:
        columns: Pictures in a row.
        rows: Rows of pictures.
        tile: Side of a picture in pixels.
        kpt_thr: Score from which a point is drawn.
    """

    def __init__(
        self, columns: int = 6, rows: int = 4, tile: int = 240, kpt_thr: float = 0.3
    ) -> None:
        self.columns, self.rows, self.tile, self.kpt_thr = columns, rows, tile, kpt_thr
        self._pictures: dict[int, NDArray[np.uint8]] = {}

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Sequence[PoseDataSample]
    ) -> None:
        """Draw those of the batch that belong on the sheet."""
        self._draw(runner.val_dataloader, outputs)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Sequence[PoseDataSample]
    ) -> None:
        """Draw those of the batch that belong on the sheet."""
        self._draw(runner.test_dataloader, outputs)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the sheet."""
        self._write(runner, f"epoch_{runner.epoch}.jpg")

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the sheet."""
        self._write(runner, "test.jpg")

    def _draw(self, loader: DataLoader[Any], outputs: Sequence[PoseDataSample]) -> None:
        if not is_main_process() or not isinstance(loader.dataset, FashionAIDataset):
            return
        count = self.columns * self.rows
        wanted = set(np.linspace(0, len(loader.dataset) - 1, count).round().astype(int).tolist())
        for sample in outputs:
            if sample.id in wanted:
                drawn = load_image(sample.img_path)
                if len(sample.pred_instances.keypoints):
                    categories = sample.gt_instances.category_indices
                    shown = predicted_visibility(sample.pred_instances, categories, self.kpt_thr)
                    drawn = draw_garment(
                        drawn,
                        np.asarray(sample.pred_instances.keypoints)[0, :, :2],
                        shown[0],
                        CATEGORY_NAMES[int(categories[0])],
                    )
                self._pictures[sample.id] = fitted(drawn, self.tile)

    def _write(self, runner: Runner, name: str) -> None:
        if not self._pictures:
            return
        pictures = [self._pictures[key] for key in sorted(self._pictures)]
        self._pictures.clear()
        sheet = contact_sheet(pictures, columns=self.columns, tile=self.tile)
        path = Path(runner.work_dir) / "predictions" / name
        write_atomically(path, cv2.imencode(".jpg", sheet)[1].tobytes())
        print_log(f"Predictions drawn on {path}", logger="current")
