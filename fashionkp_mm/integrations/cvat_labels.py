"""The labels of a CVAT task or project that takes our skeletons.

    python -m fashionkp_mm.integrations.cvat_labels > labels.json
    cvat-cli task create NAME local photos/*.jpg --labels labels.json

or paste them into the *Raw* tab of a project's labels. Each category is a skeleton of the points
that it has, drawn as its canonical shape.
"""

from __future__ import annotations

import json
from typing import Any

from fashionkp_mm.core.canonical_shapes import FRAME, canonical_shape
from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_INDEX, Category


def labels() -> list[dict[str, Any]]:
    """A label for each category, as CVAT's API and its *Raw* tab take them."""
    return [
        {
            "name": category.name,
            "type": "skeleton",
            "color": category.html_color,
            "attributes": [],
            "sublabels": [
                {"name": point, "type": "points", "attributes": []} for point in category.keypoints
            ],
            "svg": _drawing(category),
        }
        for category in CATEGORIES.values()
    ]


def _drawing(category: Category) -> str:
    """The skeleton as CVAT stores it: lines and circles on a square of 100, nodes from 1 on.

    The server puts the ids of the points in the place of their names.
    """
    shape = canonical_shape(category.name) * 100 / FRAME
    nodes = {point: number for number, point in enumerate(category.keypoints, start=1)}
    places = {point: shape[KEYPOINT_INDEX[point]].round(2).tolist() for point in nodes}
    lines = [
        f'<line x1="{places[start][0]}" y1="{places[start][1]}" x2="{places[end][0]}"'
        f' y2="{places[end][1]}" data-type="edge" data-node-from="{nodes[start]}"'
        f' data-node-to="{nodes[end]}"></line>'
        for start, end in category.skeleton
    ]
    circles = [
        f'<circle r="0.75" cx="{places[point][0]}" cy="{places[point][1]}"'
        f' data-type="element node" data-element-id="{number}" data-node-id="{number}"'
        f' data-label-name="{point}"></circle>'
        for point, number in nodes.items()
    ]
    return "".join([*lines, *circles])


if __name__ == "__main__":
    print(json.dumps(labels(), indent=2))
