"""FashionAI, and labels like it, as an MMPose data set, read straight from their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.datasets.transforms import PackPoseInputs, RandomFlip
from mmpose.registry import DATASETS
from numpy.typing import NDArray

from fashionkp_mm.core.box_files import BoxFileError, read_boxes
from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.normalized_error import normalizers
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.images import image_size
from fashionkp_mm.plugin.label_files import (
    RemotePrefix,
    image_paths,
    is_test_list,
    known_categories,
    read_table,
)

PACKED_FIELDS = {
    "category_index": "category_indices",
    "keypoint_visibility": "keypoint_visibility",
    "named": "named",
    "normalizer": "normalizers",
}
"""What a sample carries beyond MMPose's own, and its name in ``gt_instances``."""

_METAINFO_IN_SAMPLES = (
    "dataset_name",
    "upper_body_ids",
    "lower_body_ids",
    "flip_pairs",
    "dataset_keypoint_weights",
    "flip_indices",
    "skeleton_links",
    "category_given",
)


@DATASETS.register_module()
class FashionAIDataset(RemotePrefix, BaseCocoStyleDataset):
    """The FashionAI apparel keypoints: one garment, one sample.

    Next to MMPose's own fields a sample carries ``category_index`` ``(1,)``,
    ``keypoint_visibility`` ``(1, K)`` with the three values of ``core.garments.Visibility``, and
    ``normalizer`` ``(1,)`` in pixels of the image, NaN where it is absent. They arrive in
    ``gt_instances`` as ``category_indices``, ``keypoint_visibility`` and ``normalizers``.
    ``keypoints_visible`` is 1 for every labelled point, occluded ones included, and 0 for absent
    ones. ``img_id`` is the image's id, which garments of one image share.

    Args:
        ann_file: Labels of any format that ``fashionkp convert`` reads, in pixels of the images in
            ``data_prefix``; or, with ``test_mode``, a CSV of ids and categories only.
        data_prefix: ``img`` is the folder that the image ids start from. Both folder layouts of
            FashionAI are found in it; see `core.image_paths.locate_images`. It may be a URI, such
            as ``s3://bucket/train``; see `images.remote`.
        categories: Names of the categories to keep; all by default.
        bbox_source: Where the box around the garment comes from: ``label`` (tight around the
            labelled points; it gives the outermost points away, so published scores do not use
            it), ``whole`` (the whole image), or the path of a CSV of boxes. A label box that
            encloses nothing is replaced by the whole image. `GetBBoxCenterScale` pads them all.
            Where images have several garments, only ``label`` tells which one is meant.
        category_given: Whether the model is given the category. If not, the samples' metainfo
            says ``category_given=False``, and a `GarmentHead` chooses one itself; metrics still
            know the labelled one.
        **kwargs: As in `BaseCocoStyleDataset`.

    Raises:
        DataNotFoundError: There is no ``ann_file``.
        AnnotationError: The labels break a rule of their format.
        FormatError: Their format is not recognised.
        BoxFileError: The box file cannot be used, or an image has several garments.
        BrokenImageError: An image's size is needed for its box, and the image is missing.
        ValueError: A category is unknown, or the pipeline has a `RandomFlip` that is not
            `GarmentFlip`, which would leave the visibility of left and right points swapped.
    """

    METAINFO: ClassVar[dict[str, Any]] = {"from_file": str(Path(__file__).with_name("metainfo.py"))}

    def __init__(
        self,
        ann_file: str,
        *,
        categories: Sequence[str] | None = None,
        bbox_source: str = "label",
        category_given: bool = True,
        **kwargs: Any,
    ) -> None:
        self.categories = known_categories(categories)
        self.bbox_source = bbox_source
        super().__init__(ann_file=ann_file, **kwargs)
        self._metainfo.update(bbox_source=bbox_source, category_given=category_given)
        for transform in self.pipeline.transforms:
            if type(transform) is RandomFlip:
                raise ValueError(
                    "RandomFlip does not know keypoint_visibility, which would come out mirrored;"
                    " write GarmentFlip instead, it takes the same arguments"
                )
            if not category_given and isinstance(transform, PackPoseInputs):
                transform.meta_keys = (*transform.meta_keys, "category_given")

    @property
    def image_ids(self) -> list[str]:
        """The image ids of all samples, in order."""
        return [self.get_data_info(index)["img_id"] for index in range(len(self))]

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the labels and make one record a garment."""
        table = self._read_table()
        labelled = table.visibility != Visibility.ABSENT
        if not self.test_mode:
            # An image without a single labelled point has nothing to teach.
            table = table.select(labelled.any(axis=1))
            labelled = labelled[labelled.any(axis=1)]
        paths = image_paths(table.image_ids, self.data_prefix.get("img", ""))
        boxes = self._boxes(table, labelled, paths)
        normalizer = normalizers(table.keypoints, table.visibility, table.category_indices)

        keypoints = table.keypoints[:, None]
        visibility = table.visibility[:, None]
        boxes = boxes[:, None]
        normalizer = normalizer[:, None]
        # FashionAI labels the garment that a picture is about; others come behind it.
        main = {int(rows[0]) for rows in table.rows_of.values()}
        return [
            {
                "img_id": image_id,
                "img_path": paths[index],
                "id": index,
                "category_id": int(table.category_indices[index]),
                "bbox": boxes[index],
                "keypoints": keypoints[index],
                "keypoint_visibility": visibility[index],
                "normalizer": normalizer[index],
                "main_garment": index in main,
                "iscrowd": 0,
            }
            for index, image_id in enumerate(table.image_ids)
        ]

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The sample's record with what follows from it and the metainfo that transforms need."""
        # The base class copies the metainfo deeply for every sample, which costs more than the
        # record itself; no transform writes to it.
        info: dict[str, Any] = super(BaseCocoStyleDataset, self).get_data_info(idx)
        # Made here, not kept: every array in a record costs time when it is pickled, and memory.
        labelled = info["keypoint_visibility"] != Visibility.ABSENT
        info["keypoints_visible"] = labelled.astype(np.float32)
        info["category_index"] = np.array([info["category_id"]])
        info["named"] = np.ones(1, bool)
        info["bbox_score"] = np.ones(1, np.float32)
        info.update({key: self._metainfo[key] for key in _METAINFO_IN_SAMPLES})
        info["instance_mapping_table"] = {
            **PackPoseInputs.instance_mapping_table,
            **PACKED_FIELDS,
        }
        return info

    def _read_table(self) -> KeypointTable:
        # Labels without keypoints are refused in training, with the columns that are missing.
        test_list = is_test_list(self.ann_file) and self.test_mode
        if test_list and self.bbox_source == "label":
            raise ValueError(
                f"{self.ann_file} is a test list without keypoints, so there are no label boxes;"
                " set bbox_source='whole' or give a file of boxes"
            )
        return read_table(self.ann_file, test_list=test_list, categories=self.categories)

    def _boxes(
        self, table: KeypointTable, labelled: NDArray[np.bool_], paths: Sequence[str]
    ) -> NDArray[np.float32]:
        if self.bbox_source == "label":
            boxes = keypoint_boxes(table.keypoints, labelled)
        elif self.bbox_source == "whole":
            boxes = np.full((len(table), 4), np.nan, np.float32)
        else:
            if len(set(table.image_ids)) < len(table):
                raise BoxFileError(
                    f"{self.bbox_source}: {self.ann_file} has images with several garments, and a"
                    " box of an image does not say of which; set bbox_source='label'"
                )
            boxes = read_boxes(self.bbox_source, table.image_ids)
        for index in np.flatnonzero(np.isnan(boxes[:, 0])):
            boxes[index] = (0, 0, *image_size(paths[index]))
        return boxes
