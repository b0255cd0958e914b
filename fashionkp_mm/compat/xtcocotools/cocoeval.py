"""Average precision by object keypoint similarity (OKS), for any keypoints, not only COCO's 17."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval as PycocotoolsCOCOeval

_AREA_PER_BBOX = 0.53
"""A person's mean share of its box: xtcocotools' area where the annotations have none."""


class COCOeval(PycocotoolsCOCOeval):
    """pycocotools' evaluation with the two arguments that xtcocotools added, and its three fixes.

    The fixes: an annotation is ignored when none of its points is labelled, whatever its
    ``num_keypoints`` says; a prediction whose scores are all 0 is left out; and an annotation with
    the id 0 can be matched (pycocotools takes 0 for "no match").

    Args:
        cocoGt: Ground truth.
        cocoDt: Predictions, from ``cocoGt.loadRes``.
        iouType: ``keypoints``, ``bbox`` or ``segm``.
        sigmas: OKS constant of each keypoint, ``(K,)``; COCO's 17 where None.
        use_area: Take ``area`` from the annotations; else 0.53 times the box's.

    Raises:
        NotImplementedError: For ``keypoints_crowd`` and the whole-body variants.
    """

    def __init__(
        self,
        cocoGt: COCO | None = None,  # noqa: N803
        cocoDt: COCO | None = None,  # noqa: N803
        iouType: str = "keypoints",  # noqa: N803
        sigmas: Sequence[float] | np.ndarray | None = None,
        use_area: bool = True,
    ) -> None:
        if iouType.startswith("keypoints_"):
            raise NotImplementedError(
                f"iouType {iouType!r} needs the real xtcocotools; fashionkp_mm stands in for it by"
                " pycocotools, which evaluates 'keypoints', 'bbox' and 'segm'. Python 3.11 with"
                " numpy<2 can: pip install 'numpy<2' xtcocotools"
            )
        super().__init__(cocoGt, cocoDt, iouType)
        self.use_area = use_area
        if sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(sigmas, dtype=np.float64)

    def _prepare(self) -> None:
        if self.params.iouType != "keypoints":
            super()._prepare()
            return
        # Not pycocotools' own: it reads num_keypoints, which annotations may lack.
        truths, found = self._annotations(self.cocoGt), self._annotations(self.cocoDt)
        spare_id = 1 + max((truth["id"] for truth in truths), default=0)
        self._gts, self._dts = defaultdict(list), defaultdict(list)
        for truth in truths:
            key = truth["image_id"], truth["category_id"]
            self._gts[key].append(self._adapted(truth, spare_id))
        for prediction in found:
            if np.any(np.asarray(prediction["keypoints"])[2::3] > 0):
                self._dts[prediction["image_id"], prediction["category_id"]].append(prediction)
        self.evalImgs: dict[Any, list[Any]] = defaultdict(list)
        self.eval: dict[str, Any] = {}

    def _annotations(self, coco: COCO) -> list[dict[str, Any]]:
        categories = self.params.catIds if self.params.useCats else []
        ids = coco.getAnnIds(imgIds=self.params.imgIds, catIds=categories)
        annotations: list[dict[str, Any]] = coco.loadAnns(ids)
        return annotations

    def _adapted(self, gt: dict[str, Any], spare_id: int) -> dict[str, Any]:
        """Copy an annotation, which belongs to the caller, and set what pycocotools reads."""
        _x, _y, width, height = gt["bbox"]
        labelled = np.any(np.asarray(gt["keypoints"])[2::3] > 0)
        return {
            **gt,
            "id": gt["id"] or spare_id,
            "ignore": int(not labelled or bool(gt.get("iscrowd"))),
            "area": gt["area"] if self.use_area else _AREA_PER_BBOX * width * height,
        }


__all__ = ["COCOeval"]
