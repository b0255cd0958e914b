"""Where `fashionkp predict` writes: never over what it reads, through links, to full disks."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fashionkp_mm.batch import parallel
from fashionkp_mm.batch import run as batch_run
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.cli import app
from fashionkp_mm.core.csv_format import read_labels, read_predictions
from fashionkp_mm.runtime import FashionPredictor, Prediction
from fashionkp_mm.runtime.request import Request

COUNT = 4


def run(*args: object) -> Result:
    return CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(
        app, ["predict", *map(str, args)]
    )


@pytest.fixture
def images(drawn_root: Path, tmp_path: Path) -> Path:
    """A folder with some pictures."""
    folder = tmp_path / "images"
    folder.mkdir()
    table = read_labels(drawn_root / "train" / "Annotations" / "train.csv")
    for number, image_id in enumerate(table.image_ids[:COUNT]):
        shutil.copy(drawn_root / "train" / image_id, folder / f"{number}.jpg")
    return folder


class TestApart:
    """An output that is an input is an error before anything is done."""

    @pytest.fixture(autouse=True)
    def no_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def begun(*_: object) -> None:
            raise AssertionError("the work has begun")

        monkeypatch.setattr(FashionPredictor, "stream", begun)

    @pytest.fixture
    def labels(self, images: Path) -> Path:
        path = images / "labels.csv"
        rows = "".join(f"{number}.jpg,skirt\n" for number in range(COUNT))
        path.write_text(f"image_id,image_category\n{rows}")
        return path

    @staticmethod
    def refused(precious: Path, *args: object) -> None:
        before = precious.read_bytes()

        result = run(*args)

        assert result.exit_code == 1
        assert "would overwrite the input" in result.stderr
        assert "name another output" in result.stderr
        assert precious.read_bytes() == before
        assert not list(precious.parent.glob("*.part.jsonl"))

    def test_the_csv_that_names_the_images(self, labels: Path, model: Path) -> None:
        self.refused(labels, labels, "--model", model, "--out", labels)

    def test_the_categories(self, images: Path, labels: Path, model: Path) -> None:
        self.refused(labels, images, "--model", model, "--categories", labels, "--out", labels)

    @pytest.mark.parametrize("kind", ["symbolic", "hard"])
    def test_a_link_to_them(
        self, images: Path, labels: Path, model: Path, tmp_path: Path, kind: str
    ) -> None:
        link = tmp_path / "link.csv"
        link.symlink_to(labels) if kind == "symbolic" else link.hardlink_to(labels)

        self.refused(labels, images, "--model", model, "--categories", labels, "--out", link)

    @pytest.mark.parametrize("option", ["--model", "--detector"])
    def test_a_model(
        self, images: Path, pose_file: Path, detector_file: Path, tmp_path: Path, option: str
    ) -> None:
        files = {"--model": pose_file, "--detector": detector_file}
        path = tmp_path / "model.json"
        shutil.copy(files[option], path)
        files[option] = path

        self.refused(path, images, *(x for pair in files.items() for x in pair), "--out", path)

    def test_an_image(self, images: Path, model: Path) -> None:
        path = images / "picture.csv.json"
        shutil.copy(images / "0.jpg", path)

        self.refused(path, path, "--model", model, "--out", path)

    def test_the_journal(self, images: Path, labels: Path, model: Path) -> None:
        path = labels.rename(images / "p.csv.part.jsonl")
        before = path.read_bytes()

        result = run(images, "--model", model, "--categories", path, "--out", images / "p.csv")

        assert "would overwrite the input" in result.stderr
        assert path.read_bytes() == before

    def test_a_drawn_picture(self, images: Path, model: Path, tmp_path: Path) -> None:
        (tmp_path / "drawn").mkdir()
        (tmp_path / "drawn" / "1.jpg").hardlink_to(images / "1.jpg")

        self.refused(images / "1.jpg", images, "--model", model, "--draw", tmp_path / "drawn")


def test_a_link_is_written_through(images: Path, model: Path, tmp_path: Path) -> None:
    link, target = tmp_path / "link.csv", tmp_path / "deep" / "target.csv"
    target.parent.mkdir()
    target.touch()
    link.symlink_to(target)

    assert run(images, "--model", model, "--out", link).exit_code == 0

    assert link.is_symlink()
    assert len(read_predictions(target)) == COUNT


class TestStandardOutput:
    def test_is_csv_and_nothing_else(
        self, images: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        run(images, "--model", model, "--out", "p.csv")

        result = run(images, "--model", model, "--out", "-")

        assert result.exit_code == 0, result.output
        assert result.stdout == Path("p.csv").read_text()
        assert f"{COUNT} images predicted" in result.stderr
        assert "standard output (CSV" in result.stderr
        assert {path.name for path in tmp_path.iterdir()} == {"images", "p.csv"}

    def test_cannot_be_gone_on_with(self, images: Path, model: Path) -> None:
        result = run(images, "--model", model, "--out", "-", "--resume")

        assert result.exit_code == 2
        assert "--resume needs a file" in result.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("p.csv", "CSV in the contest's form"),
        ("p.json", "JSON list of garments"),
        ("coco_val.json", "COCO data set"),
    ],
)
def test_says_what_it_wrote(
    images: Path, model: Path, tmp_path: Path, name: str, said: str
) -> None:
    result = run(images, "--model", model, "--out", tmp_path / name)

    assert f"{tmp_path / name} ({said})" in result.stdout


class TestFullDisk:
    """A limit on the size of files stands for it, which the system keeps likewise."""

    CODE = (
        "import resource, sys\n"
        "from fashionkp_mm.cli import app\n"
        "size = int(sys.argv.pop(1))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
        "app()\n"
    )

    def limited(self, size: int, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", self.CODE, str(size), "predict", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    @pytest.mark.parametrize(
        ("size", "full"),
        [(1500, "p.csv.part.jsonl"), (5000, "p.json.part.jsonl"), (5000, "drawn/0.jpg")],
    )
    def test_names_the_file_and_resume(
        self, images: Path, model: Path, tmp_path: Path, size: int, full: str
    ) -> None:
        out = tmp_path / "out" / full.removesuffix(".part.jsonl").replace("drawn/0.jpg", "p.csv")
        draw = ["--draw", out.parent / "drawn"] if full.startswith("drawn") else []
        arguments = [images, "--model", model, "--out", out, *draw]

        process = self.limited(size, *arguments)

        assert process.returncode == 1
        assert f"error: {out.parent / full}: File too large" in process.stderr
        assert "images done; the same command with --resume goes on from there" in process.stderr
        assert "Traceback" not in process.stderr
        assert not out.exists()
        result = run(*arguments, "--resume")
        assert result.exit_code == 0, result.output
        assert not list(out.parent.rglob(".*"))

    def test_a_journal_that_cannot_even_begin(
        self, images: Path, model: Path, tmp_path: Path
    ) -> None:
        process = self.limited(10, images, "--model", model, "--out", tmp_path / "p.csv")

        assert process.returncode == 1
        assert f"error: {tmp_path / 'p.csv.part.jsonl'}: File too large" in process.stderr

    def test_when_the_output_is_written(
        self, images: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "p.csv"

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device", str(out))

        monkeypatch.setattr(batch_run, "write_atomically", full)
        result = run(images, "--model", model, "--out", out)
        monkeypatch.undo()

        assert result.exit_code == 1
        assert f"error: {out}: No space left on device" in result.stderr
        assert f"stopped with {COUNT} of {COUNT} images done; the same" in result.stderr
        assert (
            f"{COUNT} done before" in run(images, "--model", model, "--out", out, "--resume").stdout
        )


class TestMemory:
    def test_pictures_that_wait_to_be_drawn_are_bounded_by_bytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Five megapixels each, of which two may be in work."""
        monkeypatch.setattr(parallel, "_MAX_BYTES", 10_000_000 * parallel._PIXEL_BYTES)
        lock, alive, most, begun = Lock(), 0, 0, 0

        def draw(_: Source, prediction: Prediction) -> Prediction:
            nonlocal alive, most, begun
            with lock:
                alive += 1
                begun += 1
                most = max(most, alive)
            resource.getrusage(resource.RUSAGE_SELF)  # another thread may go on here
            with lock:
                alive -= 1
            return prediction

        sources = [Source(f"{number}.jpg", tmp_path) for number in range(30)]
        pulled = 0

        def results() -> Iterator[tuple[Source, Prediction]]:
            nonlocal pulled
            for source in sources:
                pulled += 1
                request = Request(pulled, source.path, None, "refine", None)
                yield source, Prediction(request, (2500, 2000), ())

        done = [source for source, _ in parallel.in_parallel(results(), draw)]

        assert done == sources
        assert most <= 2
        assert begun == pulled == 30

    def test_a_picture_larger_than_that_is_drawn_alone(
        self, images: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parallel, "_MAX_BYTES", 1)

        assert (
            run(
                images, "--model", model, "--out", tmp_path / "p.csv", "--draw", tmp_path / "drawn"
            ).exit_code
            == 0
        )

        assert len(list((tmp_path / "drawn").iterdir())) == COUNT
