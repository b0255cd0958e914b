"""The COCO annotation file."""

from __future__ import annotations

from pycocotools.coco import COCO as PycocotoolsCOCO  # noqa: N811


class COCO(PycocotoolsCOCO):
    """pycocotools' reader, which like xtcocotools' takes annotations that lack ``iscrowd``."""

    def createIndex(self) -> None:  # noqa: N802
        """Index images, categories and annotations by id."""
        for annotation in self.dataset.get("annotations", ()):
            annotation.setdefault("iscrowd", 0)
        super().createIndex()


__all__ = ["COCO"]
