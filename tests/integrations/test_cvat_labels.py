"""CVAT's labels: the skeletons of the function, drawn as its server and its page want them."""

from __future__ import annotations

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from fashionkp_mm.core.garments import CATEGORIES
from fashionkp_mm.integrations.cvat_labels import labels


def test_each_category_is_a_skeleton_of_its_points() -> None:
    for label, category in zip(labels(), CATEGORIES.values(), strict=True):
        assert (label["name"], label["type"]) == (category.name, "skeleton")
        assert [point["name"] for point in label["sublabels"]] == list(category.keypoints)
        assert {point["type"] for point in label["sublabels"]} == {"points"}


@pytest.mark.parametrize("label", labels(), ids=lambda label: label["name"])
def test_the_drawing_has_every_point_and_link(label: dict) -> None:
    drawing = ElementTree.fromstring(f"<svg>{label['svg']}</svg>")
    names, places = {}, {}
    for circle in drawing.iter("circle"):
        node = circle.get("data-node-id")
        assert circle.get("data-element-id") == node
        names[node] = circle.get("data-label-name")
        places[node] = circle.get("cx"), circle.get("cy")
        assert all(0 < float(side) < 100 for side in places[node])
    category = CATEGORIES[label["name"]]
    assert list(names.values()) == list(category.keypoints)
    links = []
    for line in drawing.iter("line"):
        start, end = line.get("data-node-from"), line.get("data-node-to")
        assert (line.get("x1"), line.get("y1")) == places[start]
        assert (line.get("x2"), line.get("y2")) == places[end]
        links.append((names[start], names[end]))
    assert links == list(category.skeleton)


def test_the_sdk_knows_their_form() -> None:
    models = pytest.importorskip("cvat_sdk.models", reason="cvat-sdk is not installed")
    for label in labels():
        sublabels = [models.SublabelRequest(**point) for point in label["sublabels"]]
        request = models.PatchedLabelRequest(**{**label, "sublabels": sublabels})
        assert request.to_dict()["svg"] == label["svg"]


def test_the_module_prints_them() -> None:
    command = [sys.executable, "-m", "fashionkp_mm.integrations.cvat_labels"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == labels()
