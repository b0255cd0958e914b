"""`fashionkp report`: one page that needs nothing else."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from fashionkp_mm.cli import app
from fashionkp_mm.commands.report import BEST, WORST
from fashionkp_mm.core.csv_format import read_labels, write_predictions, write_submission
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES
from fashionkp_mm.core.normalized_error import evaluate
from fashionkp_mm.core.table import KeypointTable

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """A parsed page: its elements, its text, and that every element is closed in its place."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def run(*args: object) -> Result:
    return CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(
        app, ["report", *map(str, args)]
    )


@pytest.fixture
def labels(drawn_root: Path) -> Path:
    return drawn_root / "train/Annotations/train.csv"


def shifted(table: KeypointTable, categories: np.ndarray | None = None) -> KeypointTable:
    """Predictions that are farther off from row to row."""
    offsets = np.arange(len(table), dtype=np.float32)[:, None, None]
    chosen = table.category_indices if categories is None else categories
    return KeypointTable(
        table.image_ids,
        chosen,
        table.keypoints + offsets,
        np.where(CATEGORY_KEYPOINTS[chosen], table.visibility, -1).astype(np.int8),
        table.rows,
    )


@pytest.fixture
def predictions(labels: Path, tmp_path: Path) -> Path:
    path = tmp_path / "mine & <b>yours.csv"
    write_predictions(path, shifted(read_labels(labels)))
    return path


def test_the_page_says_what_evaluate_says(labels: Path, predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "report.html"
    result = run(labels, predictions, "--out", out)
    assert result.exit_code == 0, result.output
    assert str(out) in result.stdout
    page = Page(out)
    table = read_labels(labels)
    score = evaluate(table, shifted(table))
    assert f"{score.value:.2f} %" in page.text
    for each in (*score.per_category.values(), *score.per_keypoint.values()):
        assert f"{each.value:.2f}" in page.text
    assert "skip: 0 images without a labelled normaliser" in page.text
    assert "Visibility: 100.00 % right" in page.text
    assert f"as labelled on all {len(table)} images: given, or recognised" in page.text


def test_worst_and_best_cases_are_drawn(labels: Path, predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    run(labels, predictions, "--out", out)
    pictures = Page(out).all("img")
    assert len(pictures) == 2 * (WORST + BEST)
    drawn = []
    for picture in pictures:
        kind, data = str(picture["src"]).split(",")
        assert kind == "data:image/jpeg;base64"
        image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert image.shape[1::-1] == (int(str(picture["width"])), int(str(picture["height"])))
        drawn.append(image)
    assert any((a != b).any() for a, b in zip(drawn[::2], drawn[1::2], strict=True))
    errors = [float(e) for e in re.findall(r"<strong>([\d.]+) %</strong>", out.read_text())]
    worst, best = errors[:WORST], errors[WORST:]
    assert worst == sorted(worst, reverse=True)
    assert best == sorted(best)
    assert best[-1] <= worst[-1]


def test_the_page_needs_nothing_else(labels: Path, predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    run(labels, predictions, "--out", out)
    page = Page(out)
    assert not {"script", "link", "iframe", "object", "base"} & {name for name, _ in page.elements}
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name == "href" for name in attributes)
        assert str(attributes.get("src", "data:")).startswith("data:")
    assert "http" not in re.sub(r'base64,[^"]*|http-equiv', "", out.read_text())
    (policy,) = (m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert str(policy).startswith("default-src 'none'")


def test_text_of_files_is_not_markup(labels: Path, predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    run(labels, predictions, "--out", out)
    page = Page(out)
    assert predictions.name in page.text
    assert not page.all("b")


def test_categories_that_were_confused(labels: Path, tmp_path: Path) -> None:
    table = read_labels(labels)
    blouse, outwear = CATEGORY_NAMES.index("blouse"), CATEGORY_NAMES.index("outwear")
    chosen = np.where(table.category_indices == blouse, outwear, table.category_indices)
    path, out = tmp_path / "own.csv", tmp_path / "report.html"
    write_predictions(path, shifted(table, chosen.astype(np.int8)))

    assert run(labels, path, "--out", out, "--missing-predictions", "skip").exit_code == 0
    page = Page(out)
    assert "NE of the points with a prediction" in page.text
    assert "that the predicted category lacks left out" in page.text

    assert run(labels, path, "--out", out).exit_code == 0
    page = Page(out)
    assert "that the predicted category lacks counted as an error of 1 a point" in page.text
    share = 100 * float((chosen == table.category_indices).mean())
    assert f"Category: {share:.2f} % right" in page.text
    assert "taken for outwear" in page.text


def test_a_contest_entry_recognises_nothing(labels: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "entry.csv", tmp_path / "report.html"
    write_submission(path, shifted(read_labels(labels)))
    assert run(labels, path, "--out", out).exit_code == 0
    text = Page(out).text
    assert "% right" not in text
    assert "accuracy" not in text


def test_a_missing_image_is_named_and_the_page_is_there(
    labels: Path, predictions: Path, tmp_path: Path
) -> None:
    table = read_labels(labels)
    images = tmp_path / "images"
    for image_id in table.image_ids[:3]:
        (images / image_id).parent.mkdir(parents=True, exist_ok=True)
        (images / image_id).write_bytes((labels.parents[1] / image_id).read_bytes())
    out = tmp_path / "report.html"
    result = run(labels, predictions, "--images", images, "--out", out)
    assert result.exit_code == 1
    assert f"error: {table.image_ids[-1]}: the image is missing" in result.stderr
    assert Page(out).all("svg")


def test_no_images_at_all_are_an_error(labels: Path, predictions: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "report.html"
    result = run(labels, predictions, "--images", tmp_path / "empty", "--out", out)
    assert result.exit_code == 1
    assert "--images" in result.stderr
    assert not out.exists()


def test_nothing_in_common(labels: Path, tmp_path: Path) -> None:
    table = shifted(read_labels(labels))
    renamed = KeypointTable(
        tuple(f"{i}.jpg" for i in range(len(table))),
        table.category_indices,
        table.keypoints,
        table.visibility,
        table.rows,
    )
    path, out = tmp_path / "other.csv", tmp_path / "report.html"
    write_predictions(path, renamed)
    result = run(labels, path, "--out", out)
    assert result.exit_code == 1
    assert "no prediction is of a labelled image" in result.stderr
    assert not out.exists()


def test_never_over_what_it_reads(labels: Path, predictions: Path, tmp_path: Path) -> None:
    image = labels.parents[1] / read_labels(labels).image_ids[0]
    for number, precious in enumerate((labels, predictions, image)):
        link = tmp_path / f"{number}.html"
        link.symlink_to(precious)
        before = precious.read_bytes()

        result = run(labels, predictions, "--out", link)

        assert result.exit_code == 1
        assert f"overwrite the input {precious}, which is the same file as {link}" in result.stderr
        assert precious.read_bytes() == before


def test_an_interrupted_write_leaves_the_old_page(
    labels: Path, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report.html"
    out.write_text("old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", fail)
    result = run(labels, predictions, "--out", out)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert out.read_text() == "old"


def test_names_its_example() -> None:
    assert "fashionkp report" in run("--help").output.split("Example")[1]
