"""The COCO annotation file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pycocotools.coco import COCO as PycocotoolsCOCO  # noqa: N811


class COCO(PycocotoolsCOCO):
    """pycocotools' reader, which like xtcocotools' takes annotations that lack ``iscrowd``."""

    def createIndex(self) -> None:  # noqa: N802
        """Index images, categories and annotations by id."""
        for annotation in self.dataset.get("annotations", ()):
            annotation.setdefault("iscrowd", False)  # as MMPose would
        super().createIndex()

    def loadRes(self, resFile: Any, resData: list[Any] | None = None) -> PycocotoolsCOCO:  # noqa: N802, N803
        """Load results, of which there may be none.

        Args:
            resFile: A file of results, a list of them or an array.
            resData: What is in the file, where it was read before.
        """
        results = resFile if resData is None else resData
        if isinstance(results, str):
            results = json.loads(Path(results).read_text())
        if len(results):
            return super().loadRes(results)
        empty = COCO()
        empty.dataset = {**self.dataset, "annotations": []}
        empty.createIndex()
        return empty


__all__ = ["COCO"]
