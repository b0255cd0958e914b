"""FashionAI, and labels like it, as an MMDetection data set, read straight from their files."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from mmdet.datasets.base_det_dataset import BaseDetDataset
from mmdet.registry import DATASETS
from numpy.typing import NDArray

from fashionkp_mm.core.boxes import keypoint_boxes, with_margin
from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES, Visibility
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.images import image_size
from fashionkp_mm.plugin.label_files import RemotePrefix, image_paths, is_test_list, read_table

_MIN_SIDE = 2.0
"""Pixels below which a box holds no garment: a single labelled point makes none."""


@DATASETS.register_module()
class FashionAIDetDataset(RemotePrefix, BaseDetDataset):
    """Labelled garments as boxes: one image of FashionAI has one, other labels may have several.

    A garment's box is the tight box of its labelled points, visible and occluded ones, widened by
    its category's margin (``core.boxes.with_margin``) and cut off at the image's edges. Other
    garments in the same picture are not labelled; see `GarmentRTMDetHead`. ``img_id`` is the CSV's
    image id, ``label_category`` the index of its first garment's category, which test lists give as
    well.

    Args:
        ann_file: Labels of any format that ``fashionkp convert`` reads; or, with ``test_mode``, a
            CSV of ids and categories only.
        **kwargs: As in `BaseDetDataset`. ``data_prefix.img`` is the folder that the image ids
            start from; both folder layouts of FashionAI are found in it.

    Raises:
        DataNotFoundError: There is no ``ann_file``.
        AnnotationError: The labels break a rule of their format.
        FormatError: Their format is not recognised.
        BrokenImageError: An image is missing or is none; boxes end at its edge.
    """

    METAINFO: ClassVar[dict[str, Any]] = {
        "dataset_name": "fashionai",
        "classes": CATEGORY_NAMES,
        "palette": [category.color for category in CATEGORIES.values()],
    }

    def __init__(self, ann_file: str, **kwargs: Any) -> None:
        super().__init__(ann_file=ann_file, **kwargs)

    @property
    def image_ids(self) -> list[str]:
        """The image ids of all samples, in order."""
        return [self.get_data_info(index)["img_id"] for index in range(len(self))]

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the labels and make one record an image; in training, of those with a box only."""
        table = read_table(self.ann_file, test_list=is_test_list(self.ann_file) and self.test_mode)
        paths = image_paths(table.image_ids, self.data_prefix.get("img", ""))
        sizes = np.array([image_size(path) for path in paths]).reshape(-1, 2)
        boxes = garment_boxes(table, sizes)
        records: dict[str, dict[str, Any]] = {}
        for index, image_id in enumerate(table.image_ids):
            category = int(table.category_indices[index])
            record = {
                "img_id": image_id,
                "img_path": paths[index],
                "width": int(sizes[index, 0]),
                "height": int(sizes[index, 1]),
                "label_category": category,
                "instances": [],
            }
            box = boxes[index].tolist()
            if not np.isnan(box[0]):
                label = {"bbox": box, "bbox_label": category, "ignore_flag": 0}
                records.setdefault(image_id, record)["instances"].append(label)
            elif self.test_mode:
                records.setdefault(image_id, record)
        return list(records.values())


def garment_boxes(table: KeypointTable, sizes: NDArray[np.integer]) -> NDArray[np.float32]:
    """Boxes around whole garments as far as they are in the picture.

    Args:
        table: Labelled garments.
        sizes: ``(N, 2)`` width and height of their images.

    Returns:
        ``(N, 4)`` ``x1, y1, x2, y2`` in pixels of the image, NaN where the points span no box.
    """
    tight = keypoint_boxes(table.keypoints, table.visibility != Visibility.ABSENT)
    widened = with_margin(tight, table.category_indices)
    edges = np.tile(sizes, 2).astype(np.float32)
    boxes: NDArray[np.float32] = np.clip(widened, 0, edges).astype(np.float32)
    # A comparison with NaN is false.
    boxes[~(boxes[:, 2:] - boxes[:, :2] >= _MIN_SIDE).all(axis=1)] = np.nan
    return boxes
