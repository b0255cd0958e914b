"""`fashionkp predict` from end to end, with a small model, and with made-up findings."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray
from typer.testing import CliRunner

from fashionkp_mm.batch import options
from fashionkp_mm.batch.run import BatchRun
from fashionkp_mm.cli import app
from fashionkp_mm.core.csv_format import read_labels, read_predictions
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.runtime import FashionPredictor, Garment, Prediction
from fashionkp_mm.runtime.request import Request

COUNT = 9


def run(*args: object, stdin: str | None = None) -> Result:
    runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})
    return runner.invoke(app, ["predict", *map(str, args)], input=stdin)


@pytest.fixture
def images(drawn_root: Path, tmp_path: Path) -> Path:
    """A folder with some pictures, two folders deep."""
    table = read_labels(drawn_root / "train" / "Annotations" / "train.csv")
    for image_id in table.image_ids[:COUNT]:
        target = tmp_path / "images" / image_id
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(drawn_root / "train" / image_id, target)
    return tmp_path / "images"


@pytest.fixture
def ids(images: Path) -> list[str]:
    return sorted(path.relative_to(images).as_posix() for path in images.rglob("*.jpg"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "p.csv"


class TestOutput:
    def test_is_what_the_predictor_finds(
        self, images: Path, ids: list[str], out: Path, model: Path
    ) -> None:
        result = run(images, "--model", model, "--out", out)

        assert result.exit_code == 0, result.output
        assert f"{COUNT} images predicted in" in result.stdout
        assert "images/s" in result.stdout
        table = read_predictions(out)
        assert table.image_ids == tuple(ids)
        expected = FashionPredictor(model).predict([images / name for name in ids])
        for row, (garment,) in enumerate(expected):
            assert CATEGORY_NAMES[table.category_indices[row]] == garment.category
            assert np.array_equal(table.visibility[row], garment.visibility)
            points = table.keypoints[row, garment.defined]
            assert points == pytest.approx(garment.keypoints[garment.defined], abs=0.006)
        assert [path.name for path in out.parent.iterdir()] == ["p.csv"]

    @pytest.mark.parametrize("name", ["p.json", "coco.json"])
    def test_in_json(self, images: Path, ids: list[str], out: Path, model: Path, name: str) -> None:
        path = out.with_name(name)

        assert run(images, "--model", model, "--out", path).exit_code == 0

        found = json.loads(path.read_text())
        if name == "coco.json":
            assert [image["file_name"] for image in found["images"]] == ids
            assert len(found["annotations"]) == COUNT
        else:
            assert [garment["image_id"] for garment in found] == ids

    def test_boxes_and_flip_test_reach_the_predictor(
        self, images: Path, ids: list[str], out: Path, model: Path
    ) -> None:
        path = out.with_suffix(".json")

        run(images, "--model", model, "--out", path, "--boxes", "whole", "--flip-test")

        expected = FashionPredictor(model, flip_test=True).predict(images / ids[0], boxes="whole")
        found = json.loads(path.read_text())[0]
        assert found["box_source"] == "whole"
        assert found["keypoints"] == expected[0].to_dict()["keypoints"]

    def test_replaces_an_older_one(self, images: Path, out: Path, model: Path) -> None:
        out.parent.mkdir()
        out.write_text("old")

        run(images, "--model", model, "--out", out)

        assert len(read_predictions(out)) == COUNT

    def test_a_folder_that_cannot_be_written_to_is_known_before_the_work(
        self, images: Path, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setattr(FashionPredictor, "stream", _not_to_be_called)

        result = run(images, "--model", model, "--out", tmp_path / "file" / "p.csv")

        assert result.exit_code == 1
        assert str(tmp_path / "file") in result.stderr
        assert "Traceback" not in result.output

    def test_an_unknown_format_is_known_before_the_work(self, images: Path, model: Path) -> None:
        result = run(images, "--model", model, "--out", "p.xlsx")

        assert result.exit_code == 1
        assert "unknown format '.xlsx'" in result.stderr


class TestInputs:
    def test_standard_input(self, images: Path, ids: list[str], out: Path, model: Path) -> None:
        lines = "".join(f"{images / name}\n" for name in ids[:2])

        result = run("-", "--model", model, "--out", out, stdin=lines)

        assert result.exit_code == 0, result.output
        rows = out.read_text().splitlines()[1:]
        assert [row.split(",")[0] for row in rows] == [str(images / name) for name in ids[:2]]

    def test_the_labels_of_a_data_set(self, drawn_root: Path, out: Path, model: Path) -> None:
        csv = drawn_root / "val" / "Annotations" / "val.csv"
        labels = read_labels(csv)

        result = run(csv, "--model", model, "--out", out)

        assert result.exit_code == 0, result.output
        table = read_predictions(out)
        assert table.image_ids == labels.image_ids
        assert np.array_equal(table.category_indices, labels.category_indices)

    def test_a_glob_without_a_match(self, images: Path, out: Path, model: Path) -> None:
        result = run(images, images / "*.gif", "--model", model, "--out", out)

        assert result.exit_code == 1
        assert "no image matches" in result.stderr
        assert not out.exists()


class TestBrokenImages:
    def test_are_named_at_the_end_and_stop_nothing(
        self, images: Path, ids: list[str], out: Path, model: Path
    ) -> None:
        (images / ids[3]).write_bytes(b"")
        (images / ids[5]).write_bytes((images / ids[5]).read_bytes()[:2000])

        result = run(images, images / "gone.jpg", "--model", model, "--out", out)

        assert result.exit_code == 1
        assert f"{COUNT - 2} images predicted" in result.stdout
        errors = [line for line in result.stderr.splitlines() if line.startswith("error")]
        assert len(errors) == 3
        assert "the file is empty" in errors[0]
        assert "truncated" in errors[1]
        assert "gone.jpg: the image is missing" in errors[2]
        kept = [name for name in ids if name not in (ids[3], ids[5])]
        assert read_predictions(out).image_ids == tuple(kept)

    def test_alone_leave_an_older_output_as_it_was(
        self, images: Path, ids: list[str], out: Path, model: Path
    ) -> None:
        (images / ids[0]).write_bytes(b"")
        out.parent.mkdir()
        out.write_text("old")

        result = run(images / ids[0], "--model", model, "--out", out)

        assert result.exit_code == 1
        assert f"no image could be predicted, so {out} is not written" in result.stderr
        assert out.read_text() == "old"
        assert [path.name for path in out.parent.iterdir()] == ["p.csv"]


class TestCategories:
    def test_from_a_file_and_how_many_are_not_in_it(
        self, images: Path, ids: list[str], out: Path, model: Path, tmp_path: Path
    ) -> None:
        csv = tmp_path / "c.csv"
        rows = [f"{name},trousers" for name in ids[2:]]
        csv.write_text("\n".join(("image_id,image_category", *rows, "")))

        result = run(images, "--model", model, "--out", out, "--categories", csv)

        assert f"2 images are not in {csv}, or" in result.stderr
        table = read_predictions(out)
        chosen = FashionPredictor(model).predict([images / name for name in ids[:2]])
        assert [CATEGORY_NAMES[i] for i in table.category_indices] == [
            *(garment.category for (garment,) in chosen),
            *["trousers"] * (COUNT - 2),
        ]

    def test_one_for_all(self, images: Path, out: Path, model: Path) -> None:
        run(images, "--model", model, "--out", out, "--category", "skirt")

        assert set(read_predictions(out).category_indices) == {CATEGORY_NAMES.index("skirt")}

    def test_that_do_not_exist_are_a_usage_error(self, images: Path, model: Path) -> None:
        result = run(images, "--model", model, "--category", "hat")

        assert result.exit_code == 2
        assert "'hat'; expected one of blouse" in result.output

    def test_twice_are_a_usage_error(self, images: Path, model: Path, tmp_path: Path) -> None:
        csv = tmp_path / "c.csv"
        csv.write_text("image_id,image_category\na.jpg,skirt\n")

        result = run(images, "--model", model, "--category", "skirt", "--categories", csv)

        assert result.exit_code == 2


class TestModels:
    def test_none_given_says_how_to_get_one(
        self, images: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fashionkp_mm.runtime.shipped.FOLDER", tmp_path)

        result = run(images, "--out", out)

        assert result.exit_code == 1
        assert "--model FILE" in result.stderr
        assert "fashionkp export" in result.stderr

    @pytest.fixture
    def shipped(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pose_file: Path, detector_file: Path
    ) -> Path:
        """A folder with both models that come with the package, as far as anyone can tell."""
        folder = tmp_path / "models"
        folder.mkdir()
        shutil.copy(pose_file, folder / "pose.onnx")
        shutil.copy(detector_file, folder / "detector.onnx")
        monkeypatch.setattr("fashionkp_mm.runtime.shipped.FOLDER", folder)
        return folder

    def test_none_named_takes_the_one_that_comes_with_the_package(
        self, images: Path, out: Path, shipped: Path, pose_file: Path
    ) -> None:
        named = out.with_name("named.csv")

        assert run(images, "--out", out).exit_code == 0
        assert run(images, "--model", pose_file, "--out", named).exit_code == 0

        assert out.read_bytes() == named.read_bytes()

    def test_the_detector_that_comes_with_the_package(
        self, images: Path, out: Path, shipped: Path, detector_file: Path
    ) -> None:
        named = out.with_name("named.csv")

        assert run(images, "--boxes", "detector", "--out", out).exit_code == 0
        assert run(images, "--detector", detector_file, "--out", named).exit_code == 0

        assert out.read_bytes() == named.read_bytes()

    def test_a_detector_that_does_not_come_with_it_says_how_to_get_one(
        self, images: Path, out: Path, shipped: Path
    ) -> None:
        (shipped / "detector.onnx").unlink()

        result = run(images, "--boxes", "detector", "--out", out)

        assert result.exit_code == 1
        assert "--detector FILE" in result.stderr

    @pytest.mark.parametrize("content", [None, b"", b"not a model"])
    def test_that_are_missing_or_broken(
        self, images: Path, out: Path, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "model.onnx"
        if content is not None:
            path.write_bytes(content)

        result = run(images, "--model", path, "--out", out)

        assert result.exit_code == 1
        assert str(path) in result.stderr
        assert "Traceback" not in result.output
        assert not out.parent.exists()

    def test_without_onnx_runtime_says_what_to_install(
        self, images: Path, out: Path, model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(options, "find_spec", lambda name: None)

        result = run(images, "--model", model, "--out", out)

        assert result.exit_code == 1
        assert "pip install 'fashionkp_mm[runtime]'" in result.stderr

    def test_a_detector_is_of_no_use_for_other_boxes(
        self, images: Path, model: Path, detector_file: Path
    ) -> None:
        options = ["--detector", detector_file, "--boxes", "whole"]

        assert run(images, "--model", model, *options).exit_code == 2

    def test_no_torch_is_imported(self, images: Path, out: Path, model: Path) -> None:
        code = (
            "import sys; from fashionkp_mm.cli import app\n"
            "try: app()\n"
            "finally: print('MODULES', *sys.modules, file=sys.stderr)"
        )
        arguments = ["predict", str(images), "--model", str(model), "--out", str(out)]

        process = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )

        modules = process.stderr.split("MODULES")[1].split()
        assert not {"torch", "mmengine", "mmpose", "mmcv", "mmdet"} & set(modules)


class TestDrawing:
    def test_draws_each_image(
        self, images: Path, ids: list[str], out: Path, model: Path, tmp_path: Path
    ) -> None:
        result = run(images, "--model", model, "--out", out, "--draw", tmp_path / "drawn")

        assert result.exit_code == 0, result.output
        for name in ids:
            before, after = (cv2.imread(str(root / name)) for root in (images, tmp_path / "drawn"))
            assert before is not None and after is not None
            assert before.shape == after.shape
            assert np.abs(before.astype(int) - after).max() > 60

    def test_stays_below_its_folder(
        self, images: Path, ids: list[str], out: Path, model: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "drawn"
        above = f"{images}/../images/{ids[0]}"

        assert run(above, "--model", model, "--out", out, "--draw", folder).exit_code == 0

        (drawn,) = folder.rglob("*.jpg")
        assert drawn == folder.joinpath(*(p.replace("..", "_") for p in Path(above).parts[1:]))

    def test_never_over_the_images(
        self, images: Path, ids: list[str], out: Path, model: Path
    ) -> None:
        before = (images / ids[0]).read_bytes()

        result = run(images, "--model", model, "--out", out, "--draw", images)

        assert result.exit_code == 1
        assert (images / ids[0]).read_bytes() == before

    def test_a_folder_inside_is_not_predicted_the_next_time(
        self, images: Path, ids: list[str], out: Path, model: Path
    ) -> None:
        for _ in range(2):
            run(images, "--model", model, "--out", out, "--draw", images / "drawn")

        assert read_predictions(out).image_ids == tuple(ids)


# Ends the process in the midst of writing the fourth image's line down.
_KILL = """
import os, signal, sys
from fashionkp_mm.cli import app
from fashionkp_mm.batch.journal import Journal

write, lines = Journal._write, 0

def write_some(self, entry):
    global lines
    lines += 1
    if lines == 5:
        self._file.write(b'{"image_id":"Images/')
        self._file.flush()
        os.kill(os.getpid(), signal.SIGNAL)
    return write(self, entry)

Journal._write = write_some
# A shell's background jobs, and so all that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
app()
"""


class TestResume:
    @pytest.fixture
    def arguments(self, images: Path, out: Path, model: Path) -> list[object]:
        return [images, "--model", model, "--out", out, "--draw", out.parent / "drawn"]

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Names of the images that the predictor is asked for."""
        names: list[str] = []
        stream = FashionPredictor.stream

        def record(self, images, *rest):  # type: ignore[no-untyped-def]
            def recorded() -> Iterator[Path]:
                for path in images:
                    names.append(path.name)
                    yield path

            return stream(self, recorded(), *rest)

        monkeypatch.setattr(FashionPredictor, "stream", record)
        return names

    @staticmethod
    def stopped(arguments: list[object], by: str) -> subprocess.CompletedProcess[str]:
        code = _KILL.replace("SIGNAL", by)
        command = [sys.executable, "-c", code, "predict", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    @pytest.mark.parametrize("name", ["p.csv", "p.json", "coco.json"])
    def test_after_a_kill_gives_the_same_bytes_and_predicts_nothing_twice(
        self, arguments: list[object], ids: list[str], out: Path, asked: list[str], name: str
    ) -> None:
        whole, path = out.parent.with_name("whole") / name, out.with_name(name)
        run(*arguments, "--out", whole)
        asked.clear()

        process = self.stopped([*arguments, "--out", path], by="SIGKILL")

        assert process.returncode == -signal.SIGKILL, process.stderr
        assert not path.exists()
        result = run(*arguments, "--out", path, "--resume")
        assert result.exit_code == 0, result.output
        assert f"{COUNT - 3} images predicted" in result.stdout
        assert "3 done before" in result.stdout
        assert asked == [Path(image_id).name for image_id in ids[3:]]
        assert path.read_bytes() == whole.read_bytes()
        assert not list(path.parent.glob("*.part*"))

    def test_after_an_interrupt(
        self, arguments: list[object], ids: list[str], out: Path, asked: list[str]
    ) -> None:
        process = self.stopped(arguments, by="SIGINT")

        assert process.returncode == 130, process.stderr
        assert f"interrupted with 3 of {COUNT} images done; the same command" in process.stderr
        assert "Traceback" not in process.stderr
        assert not out.exists()
        assert run(*arguments, "--resume").exit_code == 0
        assert len(asked) == COUNT - 3
        assert read_predictions(out).image_ids == tuple(ids)

    def test_without_it_the_run_begins_anew(
        self, arguments: list[object], asked: list[str]
    ) -> None:
        self.stopped(arguments, by="SIGKILL")

        result = run(*arguments)

        assert "3 images of an interrupted run dropped" in result.stderr
        assert len(asked) == COUNT

    def test_with_another_model_is_refused(
        self, arguments: list[object], other_model: Path, asked: list[str]
    ) -> None:
        self.stopped(arguments, by="SIGKILL")

        result = run(*arguments, "--resume", "--model", other_model)

        assert result.exit_code == 1
        assert "the interrupted run used model sha256" in result.stderr
        assert not asked

    @pytest.mark.parametrize("options", [["--boxes", "whole"], ["--flip-test"]])
    def test_with_other_options_is_refused(
        self, arguments: list[object], options: list[str]
    ) -> None:
        self.stopped(arguments, by="SIGKILL")

        assert run(*arguments, "--resume", *options).exit_code == 1

    def test_what_changed_in_between_is_predicted_again(
        self, arguments: list[object], images: Path, ids: list[str], out: Path, asked: list[str]
    ) -> None:
        self.stopped(arguments, by="SIGKILL")
        image = cv2.imread(str(images / ids[1]))
        assert image is not None
        cv2.imwrite(str(images / ids[1]), image[::-1])
        (out.parent / "drawn" / ids[2]).unlink()

        run(*arguments, "--resume")

        assert asked[:2] == [Path(image_id).name for image_id in ids[1:3]]
        assert len(asked) == COUNT - 1
        assert (out.parent / "drawn" / ids[2]).is_file()

    @pytest.mark.parametrize("how", ["deleted", "emptied", "truncated"])
    def test_what_is_broken_by_now_is_named_and_not_in_the_output(
        self, arguments: list[object], images: Path, ids: list[str], out: Path, how: str
    ) -> None:
        listed = [images / image_id for image_id in ids]
        arguments = [*listed, *arguments[1:]]
        self.stopped(arguments, by="SIGKILL")
        if how == "deleted":
            listed[0].unlink()
        else:
            listed[0].write_bytes(b"" if how == "emptied" else listed[0].read_bytes()[:2000])

        result = run(*arguments, "--resume")

        assert result.exit_code == 1
        assert result.stderr.count(f"error: {listed[0]}") == 1
        rows = out.read_text().splitlines()[1:]
        assert [row.split(",")[0] for row in rows] == [str(path) for path in listed[1:]]
        assert f"{COUNT - 3} images predicted" in result.stdout

    def test_what_changes_while_it_is_predicted_is_predicted_again(
        self,
        arguments: list[object],
        images: Path,
        ids: list[str],
        asked: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The prediction is of the file as it was before; then the run is interrupted."""
        keep = BatchRun._keep

        def change_and_stop(self: Any, source: Any, found: Any) -> None:
            shutil.copy(images / ids[1], images / ids[0])
            keep(self, source, found)
            raise KeyboardInterrupt

        monkeypatch.setattr(BatchRun, "_keep", change_and_stop)
        assert run(*arguments).exit_code == 130
        monkeypatch.setattr(BatchRun, "_keep", keep)
        asked.clear()

        assert run(*arguments, "--resume").exit_code == 0

        assert len(asked) == COUNT

    def test_a_changed_point_does_not_reach_the_output(
        self, arguments: list[object], ids: list[str], out: Path
    ) -> None:
        whole = out.with_name("whole.csv")
        run(*arguments, "--out", whole)
        self.stopped(arguments, by="SIGKILL")
        journal = out.with_name("p.csv.part.jsonl")
        lines = journal.read_text().splitlines(keepends=True)
        cell = next(cell for cell in lines[2].split('"') if cell.endswith(("_1", "_0")))
        lines[2] = lines[2].replace(cell, "1.5_2.5_1")
        journal.write_text("".join(lines))

        result = run(*arguments, "--resume")

        assert "1 done before" in result.stdout
        assert out.read_bytes() == whole.read_bytes()

    def test_leaves_no_litter_of_what_was_being_written(
        self, arguments: list[object], out: Path
    ) -> None:
        self.stopped(arguments, by="SIGKILL")
        (out.parent / ".p.csv.part").write_bytes(b"half a fi")

        assert run(*arguments, "--resume").exit_code == 0

        assert {path.name for path in out.parent.iterdir()} == {"p.csv", "drawn"}

    def test_with_categories_predicts_again_what_has_another_now(
        self, arguments: list[object], ids: list[str], out: Path, asked: list[str], tmp_path: Path
    ) -> None:
        self.stopped(arguments, by="SIGKILL")
        csv = tmp_path / "c.csv"
        csv.write_text(f"image_id,image_category\n{ids[0]},skirt\n")

        run(*arguments, "--resume", "--categories", csv)

        assert asked == [Path(image_id).name for image_id in (ids[0], *ids[3:])]

    def test_of_nothing_is_an_ordinary_run(
        self, arguments: list[object], ids: list[str], out: Path
    ) -> None:
        assert run(*arguments, "--resume").exit_code == 0
        assert read_predictions(out).image_ids == tuple(ids)

    def test_with_images_added_and_removed(
        self, arguments: list[object], images: Path, ids: list[str], out: Path, asked: list[str]
    ) -> None:
        self.stopped(arguments, by="SIGKILL")
        (images / ids[1]).unlink()
        shutil.copy(images / ids[0], images / "a-new-one.jpg")

        run(*arguments, "--resume")

        expected = [*(name for name in ids if name != ids[1]), "a-new-one.jpg"]
        assert sorted(read_predictions(out).image_ids) == sorted(expected)
        assert len(asked) == COUNT - 2


class TestFindings:
    """What is made of images with no garment or several, by a predictor that is told the answer."""

    @pytest.fixture
    def found(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Garment]]:
        answers: dict[str, list[Garment]] = {}

        class Told:
            def __init__(self, *_: object, **__: object) -> None:
                pass

            def stream(self, images: Iterable[Path], *_: object) -> Iterator[Prediction]:
                for index, path in enumerate(images):
                    request = Request(index, path, None, "refine", None)
                    yield Prediction(request, (64, 48), tuple(answers[path.name]))

        monkeypatch.setattr(options, "FashionPredictor", Told)
        return answers

    @pytest.fixture
    def pictures(self, tmp_path: Path) -> Path:
        folder = tmp_path / "pictures"
        folder.mkdir()
        for name in "abc":
            cv2.imwrite(str(folder / f"{name}.png"), np.full((48, 64, 3), 90, np.uint8))
        return folder

    @pytest.fixture
    def told(
        self, found: dict[str, list[Garment]], pictures: Path, garment: Callable[..., Garment]
    ) -> Path:
        found["a.png"] = [garment("dress"), garment("skirt")]
        found["b.png"] = []
        found["c.png"] = [garment("skirt")]
        return pictures

    def test_in_a_csv(self, told: Path, out: Path, model: Path) -> None:
        result = run(told, "--model", model, "--out", out)

        assert result.exit_code == 0, result.output
        assert read_predictions(out).image_ids == ("a.png", "c.png")
        assert "no garment was found on 1 image" in result.stderr
        assert "1 image with several garments; a CSV holds the best" in result.stderr

    def test_in_json(self, told: Path, out: Path, model: Path) -> None:
        path = out.with_suffix(".json")

        result = run(told, "--model", model, "--out", path)

        found: list[dict[str, Any]] = json.loads(path.read_text())
        assert [garment["image_id"] for garment in found] == ["a.png", "a.png", "c.png"]
        assert "several" not in result.stderr

    def test_drawn(self, told: Path, out: Path, model: Path, tmp_path: Path) -> None:
        run(told, "--model", model, "--out", out, "--draw", tmp_path / "drawn")

        def load(name: str) -> NDArray[Any]:
            image = cv2.imread(str(tmp_path / "drawn" / name))
            assert image is not None
            return np.asarray(image)

        assert (load("b.png") == 90).all()
        assert (load("c.png") != 90).any()
        assert (load("a.png") != load("c.png")).any()


def _not_to_be_called(*_: object) -> None:
    raise AssertionError("the work has begun")
