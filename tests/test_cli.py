"""The command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from fashionkp_mm.cli import app
from fashionkp_mm.commands import draw
from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_INDEX

ABSENT = "-1_-1_-1"
SKIRT = {
    "waistband_left": "20_10_1",
    "waistband_right": "40_10_1",
    "hemline_left": "10_50_0",
    "hemline_right": "50_50_1",
}


def row(image_id: str, category: str = "skirt", **cells: str) -> str:
    points = {**(SKIRT if category == "skirt" else {}), **cells}
    filled = [points.get(name, ABSENT) for name in KEYPOINT_INDEX]
    return ",".join((image_id, category, *filled))


def write_csv(path: Path, *rows: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((",".join(COLUMNS), *rows, "")))
    return path


def write_image(path: Path, size: tuple[int, int] = (64, 64)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 120, 150)).save(path)
    return path


def run(*args: object) -> Result:
    return CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [str(a) for a in args])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize("arguments", [["check"], ["check", "--json"], ["evaluate"]])
def test_a_reader_that_is_gone_ends_a_command_quietly(arguments: list[str], csv: Path) -> None:
    command, *options = arguments
    files = [csv, csv] if command == "evaluate" else [csv]
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            "from fashionkp_mm.cli import app; app()",
            command,
            *files,
            *options,
        ],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (141, "")


def run_json(*args: object) -> dict[str, Any]:
    """The one JSON object on standard output."""
    content = json.loads(run(*args, "--json").stdout)
    assert isinstance(content, dict)
    return content


def run_process(*args: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which lists the modules it imported at its end."""
    code = (
        "import sys; from fashionkp_mm.cli import app\n"
        "try: app()\n"
        "finally: print('MODULES', *sys.modules, file=sys.stderr)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


def imported(process: subprocess.CompletedProcess[str]) -> set[str]:
    (line,) = [line for line in process.stderr.splitlines() if line.startswith("MODULES")]
    return set(line.split())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data root with two images and their labels."""
    ids = [f"Images/skirt/{name}.jpg" for name in "ab"]
    for image_id in ids:
        write_image(tmp_path / "train" / image_id)
    write_csv(tmp_path / "train" / "Annotations" / "train.csv", *map(row, ids))
    return tmp_path / "train"


@pytest.fixture
def csv(data: Path) -> Path:
    return data / "Annotations" / "train.csv"


class TestHelp:
    def test_without_arguments_help_is_shown(self) -> None:
        result = run()

        assert result.exit_code == 2
        assert "Usage" in result.output
        assert "evaluate" in result.output

    @pytest.mark.parametrize("command", ["check", "synth", "evaluate", "draw", "doctor", "predict"])
    def test_each_command_has_an_example(self, command: str) -> None:
        result = run(command, "--help")

        assert result.exit_code == 0
        assert f"fashionkp {command}" in result.output.split("Example")[1]

    def test_a_usage_error_exits_with_2(self, csv: Path) -> None:
        assert run("check").exit_code == 2
        assert run("check", "nowhere.csv").exit_code == 2
        assert run("check", csv, "--kind", "hats").exit_code == 2
        assert run("synth", csv.parent / "new", "--images", "0").exit_code == 2
        assert run("nonsense").exit_code == 2

    @pytest.mark.parametrize(
        "command", [command.callback.__name__ for command in app.registered_commands]
    )
    def test_h_is_help(self, command: str) -> None:
        short, long = (run(command, option) for option in ("-h", "--help"))
        assert short.exit_code == 0
        assert short.stdout == long.stdout

    def test_it_runs_as_a_module(self) -> None:
        run = subprocess.run(
            [sys.executable, "-m", "fashionkp_mm", "check", "-h"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Usage: fashionkp check" in run.stdout

    def test_it_speaks_where_the_terminal_knows_only_ascii(self, csv: Path) -> None:
        plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        plain.pop("PYTHONIOENCODING", None)
        for arguments in (["--help"], ["doctor", "-h"], ["evaluate", "-h"], ["check", str(csv)]):
            run = subprocess.run(
                [sys.executable, "-m", "fashionkp_mm", *arguments],
                capture_output=True,
                env=plain,
                check=False,
            )
            assert run.returncode == 0, run.stderr
            assert run.stdout.isascii()

    def test_a_dependency_that_does_not_import_is_one_message(self, csv: Path) -> None:
        code = (
            "import sys\n"
            "class SlimContainer:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name == 'cv2':\n"
            "            raise ImportError('libGL.so.1: cannot open shared object file')\n"
            "sys.meta_path.insert(0, SlimContainer())\n"
            "from fashionkp_mm.cli import app\n"
            "app()\n"
        )
        for arguments in (["predict", str(csv)], ["draw", str(csv), "out"], ["synth", "out"]):
            more = ["--images", "1"] if arguments[0] == "synth" else []
            run = subprocess.run(
                [sys.executable, "-c", code, *arguments, *more],
                capture_output=True,
                text=True,
                check=False,
            )
            assert run.returncode == 1
            (message,) = run.stderr.splitlines()
            assert message.startswith("error: libGL.so.1")
            assert "opencv-python-headless" in message

    def test_help_imports_nothing_heavy(self) -> None:
        process = run_process("--help")

        assert process.returncode == 0
        # Half a second is all there is for it.
        heavy = {"torch", "mmengine", "mmpose", "numpy", "pandas", "cv2", "PIL"}
        assert not heavy & imported(process)


class TestCheck:
    def test_clean_data(self, data: Path, csv: Path) -> None:
        result = run("check", csv, "--images", data)

        assert result.exit_code == 0
        assert f"0 errors, 0 warnings in {csv}" in result.stdout
        assert "2 of 2 images can be loaded (2 colour)" in result.stdout
        assert re.search(r"skirt +2 +6 +2 +0 +0", result.stdout)

    def test_says_that_images_were_not_looked_at(self, csv: Path) -> None:
        assert "images were not checked" in run("check", csv).stdout

    def test_every_problem_at_once(self, data: Path, csv: Path) -> None:
        (data / "Images/skirt/b.jpg").write_text("no image")
        write_csv(
            csv,
            row("Images/skirt/a.jpg", hemline_left="1O_50_0"),
            row("Images/skirt/b.jpg", hemline_right="50_50_7"),
            row("Images/skirt/c.jpg", crotch="5_5_1"),
            row("Images/skirt/d.jpg", category="hat"),
            row("../../etc/e.jpg"),
        )

        found = run_json("check", csv, "--images", data)

        assert [(p["row"], p["column"], p["value"]) for p in found["problems"]] == [
            (2, "hemline_left", "1O_50_0"),
            (3, "hemline_right", "50_50_7"),
            (3, "image_id", "Images/skirt/b.jpg"),
            (4, "crotch", "5_5_1"),
            (4, "image_id", "Images/skirt/c.jpg"),
            (5, "image_category", "hat"),
            (6, "image_id", "../../etc/e.jpg"),
        ]
        assert {p["file"] for p in found["problems"]} == {str(csv)}
        assert all("expected" in p["message"] or ";" in p["message"] for p in found["problems"])
        assert (found["errors"], found["warnings"]) == (7, 0)
        assert found["images"]["usable"] == 1
        assert run("check", csv, "--images", data).exit_code == 1

    def test_text_output_names_file_row_column_value(self, csv: Path) -> None:
        write_csv(csv, row("Images/skirt/a.jpg", hemline_left="1O_50_0"))

        result = run("check", csv)

        assert result.exit_code == 1
        first = result.stdout.splitlines()[0]
        assert first.startswith(f"error: {csv}, row 2, column hemline_left, value '1O_50_0': ")
        assert "expected three plain numbers x_y_v" in first
        assert f"1 error, 0 warnings in {csv}" in result.stdout

    def test_warnings_do_not_fail(self, data: Path, csv: Path) -> None:
        write_csv(csv, *[row("Images/skirt/a.jpg", hemline_right="64_50_1")] * 2)

        result = run("check", csv, "--images", data)

        assert result.exit_code == 0
        assert "0 errors, 2 warnings" in result.stdout
        assert "1 row stands twice" in result.stdout
        assert "outside its image of 64x64 pixels" in result.stdout

    def test_counts(self, csv: Path) -> None:
        write_csv(
            csv,
            row("a.jpg"),
            row("b.jpg", waistband_left=ABSENT),
            row("c.jpg", category="trousers", crotch="5_5_1"),
        )

        found = run_json("check", csv)

        assert found["rows"] == 3
        assert found["images"] is None
        assert found["categories"] == {
            "skirt": {"rows": 2, "visible": 5, "occluded": 2, "absent": 1, "normalizer_absent": 1},
            "trousers": {
                "rows": 1,
                "visible": 1,
                "occluded": 0,
                "absent": 6,
                "normalizer_absent": 1,
            },
        }

    def test_a_test_list_is_recognised(self, data: Path) -> None:
        path = data / "test.csv"
        path.write_text("image_id,image_category\nImages/skirt/a.jpg,skirt\n")

        found = run_json("check", path, "--images", data)

        assert (found["kind"], found["rows"], found["errors"]) == ("list", 1, 0)

    def test_labels_that_lost_a_column_are_no_test_list(self, csv: Path) -> None:
        lines = [line.rpartition(",")[0] for line in csv.read_text().splitlines()]
        csv.write_text("\n".join(lines))

        found = run_json("check", csv)

        assert found["kind"] == "labels"
        assert [problem["column"] for problem in found["problems"]] == [COLUMNS[-1]]

    def test_predictions_obey_the_rules_of_predictions(self, data: Path, csv: Path) -> None:
        write_csv(csv, row("Images/skirt/a.jpg", crotch="5.5_-3_1", hemline_right="900_9_1"))

        assert run("check", csv).exit_code == 1
        result = run("check", csv, "--kind", "predictions", "--images", data)
        assert result.exit_code == 0
        assert "0 errors, 0 warnings" in result.stdout

    @pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0\0\1", b"image_id\n"])
    def test_no_csv_at_all(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "labels.csv"
        path.write_bytes(content)

        result = run("check", path)

        assert result.exit_code == 1
        assert result.stdout.startswith(f"error: {path}")
        assert not result.stderr

    def test_control_characters_do_not_reach_the_terminal(self, csv: Path) -> None:
        write_csv(csv, row("a\x1b[2J.jpg"), row("[red]b[/red].jpg", category="h\x1b[31mat"))

        stdout = run("check", csv, "--images", csv.parent).stdout

        assert "\x1b" not in stdout
        assert "h\\x1b[31mat" in stdout

    def test_imports_no_torch(self, data: Path, csv: Path) -> None:
        process = run_process("check", csv, "--images", data)

        assert process.returncode == 0
        assert not {"torch", "mmengine", "mmpose"} & imported(process)

    def test_the_progress_bar_stays_out_of_a_pipe(self, data: Path, csv: Path) -> None:
        process = run_process("check", csv, "--images", data, "--json")

        json.loads(process.stdout)
        assert process.stderr.startswith("MODULES")


class TestEvaluate:
    @pytest.fixture
    def predictions(self, tmp_path: Path) -> Path:
        """Both images; of the one, a point is off by half the normaliser."""
        moved = row("Images/skirt/b.jpg", hemline_right="50_60_1")
        return write_csv(tmp_path / "entry.csv", row("Images/skirt/a.jpg"), moved)

    def test_score(self, csv: Path, predictions: Path) -> None:
        result = run("evaluate", csv, predictions)

        assert result.exit_code == 0
        assert result.stdout.startswith("NE: 8.3333 %  (6 points, 2 images)")
        assert re.search(r"points +visible ones", result.stdout)
        assert "skip: 0 images without a labelled normaliser" in result.stdout
        assert re.search(r"hemline_right +25\.000 +2", result.stdout)
        assert "box" not in result.stdout
        assert not result.stderr

    def test_json(self, csv: Path, predictions: Path) -> None:
        found = run_json("evaluate", csv, predictions)

        assert found["NE"] == pytest.approx(100 * 0.5 / 6)
        assert found["per_category"]["skirt"] == {"NE": pytest.approx(100 * 0.5 / 6), "points": 6}
        assert found["per_keypoint"]["hemline_right"] == {"NE": pytest.approx(25), "points": 2}
        assert (found["points"], found["images"], found["skipped_images"]) == (6, 2, 0)
        assert (found["missing_normalizer"], found["scored_points"]) == ("skip", "visible")
        assert found["missing_predictions"] == []

    def test_occluded_points_are_scored_on_demand(self, csv: Path, predictions: Path) -> None:
        assert run_json("evaluate", csv, predictions, "--points", "labelled")["points"] == 8
        text = run("evaluate", csv, predictions, "--points", "labelled").stdout
        assert re.search(r"points +visible and occluded ones", text)

    def test_missing_normaliser(self, csv: Path, predictions: Path) -> None:
        rows = (row("Images/skirt/a.jpg"), row("Images/skirt/b.jpg", waistband_left=ABSENT))
        write_csv(csv, *rows)

        assert run_json("evaluate", csv, predictions)["skipped_images"] == 1
        text = run("evaluate", csv, predictions).stdout
        assert "skip: 1 image without a labelled normaliser left out" in text
        server = run_json("evaluate", csv, predictions, "--missing-normalizer", "server")
        assert server["skipped_images"] == 0
        # The distance from (-1, -1) to (40, 10) takes the normaliser's place.
        assert server["per_keypoint"]["hemline_right"]["NE"] == pytest.approx(
            50 * 10 / np.hypot(41, 11)
        )

    def test_missing_predictions_are_an_error_beside_the_score_of_the_rest(
        self, csv: Path, predictions: Path
    ) -> None:
        write_csv(predictions, row("Images/skirt/a.jpg"))

        result = run("evaluate", csv, predictions)

        assert result.exit_code == 1
        assert result.stdout.startswith("NE of the images with a prediction: 0.0000 %")
        assert "1 image without a prediction left out" in result.stdout
        assert result.stderr.startswith("error: 1 image without a prediction: Images/skirt/b.jpg;")
        assert "--missing-predictions count" in result.stderr

        as_json = run("evaluate", csv, predictions, "--json")
        assert as_json.exit_code == 1
        assert json.loads(as_json.stdout)["missing_predictions"] == ["Images/skirt/b.jpg"]
        assert "Images/skirt/b.jpg" in as_json.stderr

    @pytest.mark.parametrize(("rule", "value", "points"), [("count", 50, 6), ("skip", 0, 3)])
    def test_missing_predictions_by_rule(
        self, csv: Path, predictions: Path, rule: str, value: float, points: int
    ) -> None:
        write_csv(predictions, row("Images/skirt/a.jpg"))

        result = run("evaluate", csv, predictions, "--missing-predictions", rule)
        found = run_json("evaluate", csv, predictions, "--missing-predictions", rule)

        assert (result.exit_code, result.stderr) == (0, "")
        assert (found["NE"], found["points"]) == (pytest.approx(value), points)
        assert found["missing_predictions"] == ["Images/skirt/b.jpg"]

    @pytest.mark.parametrize("rule", ["error", "count", "skip"])
    def test_ids_of_which_none_is_labelled(self, rule: str, csv: Path, predictions: Path) -> None:
        write_csv(predictions, row("skirt/a.jpg"), row("skirt/b.jpg"))

        result = run("evaluate", csv, predictions, "--missing-predictions", rule)

        assert (result.exit_code, result.stdout) == (1, "")
        assert (
            "no prediction is of a labelled image: 2 of 2 differ only in the folders"
            in result.stderr
        )
        assert "such as 'Images/skirt/a.jpg' and 'skirt/a.jpg'" in result.stderr

    def test_nothing_to_score(self, csv: Path, predictions: Path) -> None:
        write_csv(csv, row("Images/skirt/a.jpg", waistband_left=ABSENT))
        write_csv(predictions, row("Images/skirt/a.jpg"))

        result = run("evaluate", csv, predictions)

        assert result.exit_code == 0
        assert "none, no point was scored" in result.stdout
        assert run_json("evaluate", csv, predictions)["NE"] is None

    def test_predictions_without_a_label_are_named(self, csv: Path, predictions: Path) -> None:
        rows = [row(f"Images/skirt/{name}.jpg") for name in "ab"]
        write_csv(predictions, *rows, row("other.jpg"))

        result = run("evaluate", csv, predictions)

        assert result.exit_code == 0
        assert "1 prediction of images that the labels lack, such as 'other.jpg'" in result.stderr

    def test_broken_labels_end_in_one_message(self, csv: Path, predictions: Path) -> None:
        write_csv(csv, row("Images/skirt/a.jpg", hemline_left="1O_50_0"))

        result = run("evaluate", csv, predictions)

        assert result.exit_code == 1
        assert not result.stdout
        assert result.stderr.startswith(f"error: {csv}, row 2, column hemline_left")
        assert "Traceback" not in result.output

    def test_rows_that_stand_twice_are_a_warning(self, csv: Path, predictions: Path) -> None:
        write_csv(csv, *[row("Images/skirt/a.jpg")] * 2)

        result = run("evaluate", csv, predictions)

        assert result.exit_code == 0
        assert "warning: " in result.stderr
        assert "1 row stands twice" in result.stderr

    def test_imports_no_torch(self, csv: Path, predictions: Path) -> None:
        process = run_process("evaluate", csv, predictions)

        assert process.returncode == 0
        assert not {"torch", "mmengine", "mmpose"} & imported(process)

    @pytest.mark.parametrize(
        ("rule", "value", "points", "skipped"),
        [("skip", 4.3149, 82_273, 53), ("server", 4.3142, 82_408, 34)],
    )
    def test_real_contest_entry(
        self, fashionai_root: Path, rule: str, value: float, points: int, skipped: int
    ) -> None:
        metric = fashionai_root / "metric"
        pair = (metric / "test_a_answers.csv", metric / "test_a_predictions.csv")
        if not all(path.is_file() for path in pair):
            pytest.skip(f"no contest entry in {metric}")

        found = run_json("evaluate", *pair, "--missing-normalizer", rule)

        assert round(found["NE"], 4) == value
        assert (found["points"], found["skipped_images"]) == (points, skipped)
        assert found["missing_predictions"] == ["Images/skirt/7c3ed30cf6f34e42d43d9e30886969f5.jpg"]


class TestDraw:
    def test_draws_what_lies_beside_the_csv(self, data: Path, csv: Path, tmp_path: Path) -> None:
        out = tmp_path / "drawn"

        result = run("draw", csv, out)

        assert result.exit_code == 0
        assert f"2 of 2 images drawn below {out}" in result.stdout
        drawn = sorted(path.relative_to(out) for path in out.rglob("*.*"))
        assert drawn == [Path("Images/skirt/a.jpg"), Path("Images/skirt/b.jpg")]
        before, after = (
            np.asarray(Image.open(folder / drawn[0])).astype(int) for folder in (data, out)
        )
        assert before.shape == after.shape
        assert np.abs(before - after).max() > 60

    def test_names(self, csv: Path, tmp_path: Path) -> None:
        run("draw", csv, tmp_path / "plain")
        run("draw", csv, tmp_path / "named", "--names")

        plain, named = (
            (tmp_path / folder / "Images/skirt/a.jpg").read_bytes() for folder in ("plain", "named")
        )
        assert plain != named

    def test_limit_takes_rows_from_the_whole_file(self, data: Path, tmp_path: Path) -> None:
        ids = [f"Images/skirt/{number}.png" for number in range(9)]
        for image_id in ids:
            write_image(data / image_id)
        csv = write_csv(data / "all.csv", *map(row, ids))

        run("draw", csv, tmp_path / "drawn", "--limit", 3)

        assert sorted(path.stem for path in (tmp_path / "drawn").rglob("*.png")) == ["0", "4", "8"]

    def test_one_contact_sheet(self, csv: Path, tmp_path: Path) -> None:
        result = run("draw", csv, tmp_path / "drawn", "--sheet")

        path = tmp_path / "drawn" / "contact-sheet.jpg"
        assert f"contact sheet of 2 images: {path}" in result.stdout
        with Image.open(path) as sheet:
            assert 2 * 320 < sheet.width < 3 * 320

    def test_a_contact_sheet_has_an_end(
        self, data: Path, csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(draw, "SHEET_ROWS", 1)
        ids = [f"Images/skirt/{number}.png" for number in range(9)]
        for image_id in ids:
            write_image(data / image_id)
        write_csv(csv, *map(row, ids))

        result = run("draw", csv, tmp_path / "drawn", "--sheet")

        assert "9 of 9 images drawn" in result.stdout
        assert "contact sheet of the first 6 images" in result.stdout

    def test_a_contact_sheet_begins_with_the_worst(
        self, data: Path, csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        captions: list[str] = []
        make_sheet = draw.contact_sheet

        def record(pictures, *, columns, tile, captions: list[str]):  # type: ignore[no-untyped-def]
            recorded.append(list(captions))
            return make_sheet(pictures, columns=columns, tile=tile, captions=captions)

        recorded: list[list[str]] = []
        monkeypatch.setattr(draw, "contact_sheet", record)
        entry = write_csv(
            tmp_path / "entry.csv",
            row("Images/skirt/a.jpg", waistband_left="21_10_1"),
            row("Images/skirt/b.jpg", waistband_left="30_10_1"),
        )

        run("draw", csv, tmp_path / "drawn", "--predictions", entry, "--sheet")

        captions = recorded[-1]
        assert captions == ["labels b.jpg", "NE 16.7, skirt", "labels a.jpg", "NE 1.7, skirt"]

    def test_an_image_called_like_the_contact_sheet(self, data: Path, tmp_path: Path) -> None:
        write_image(data / "contact-sheet.jpg")
        csv = write_csv(data / "all.csv", row("contact-sheet.jpg"))

        result = run("draw", csv, tmp_path / "drawn", "--sheet")

        assert result.exit_code == 1
        assert "would both be" in result.stderr
        assert not (tmp_path / "drawn").exists()

    def test_predictions_of_another_category(self, csv: Path, tmp_path: Path) -> None:
        same = write_csv(tmp_path / "same.csv", *(row(f"Images/skirt/{n}.jpg") for n in "ab"))
        points = {"waistband_left": "20_10_1", "waistband_right": "40_10_1"}
        other = write_csv(
            tmp_path / "other.csv",
            row("Images/skirt/a.jpg", "trousers", **points, crotch="30_40_1"),
            row("Images/skirt/b.jpg"),
        )

        for entry in (same, other):
            result = run("draw", csv, tmp_path / entry.stem, "--predictions", entry)
            assert result.exit_code == 0

        a, b = (
            [
                (tmp_path / folder / f"Images/skirt/{name}.jpg").read_bytes()
                for folder in ("same", "other")
            ]
            for name in "ab"
        )
        assert a[0] != a[1]
        assert b[0] == b[1]

    def test_predictions_beside_labels(self, data: Path, csv: Path, tmp_path: Path) -> None:
        entry = write_csv(tmp_path / "entry.csv", row("Images/skirt/a.jpg", crotch="9_9_1"))
        out = tmp_path / "drawn"

        result = run("draw", csv, out, "--predictions", entry, "--sheet")

        assert result.exit_code == 1
        assert "2 of 2 images drawn" in result.stdout
        message = f"{entry} has no prediction for 1 image, drawn without: Images/skirt/b.jpg"
        assert message in result.stderr
        with Image.open(out / "Images/skirt/a.jpg") as pair:
            assert pair.width > 2 * 64

    def test_a_contest_entry_without_header(self, data: Path, tmp_path: Path) -> None:
        entry = tmp_path / "entry.csv"
        filled = dict.fromkeys(KEYPOINT_INDEX, "-7_30_1")
        entry.write_text(row("Images/skirt/a.jpg", **filled) + "\n")

        result = run("draw", entry, tmp_path / "drawn", "--images", data)

        assert result.exit_code == 0
        assert (tmp_path / "drawn/Images/skirt/a.jpg").is_file()

    def test_a_broken_image_is_named_at_the_end(
        self, data: Path, csv: Path, tmp_path: Path
    ) -> None:
        (data / "Images/skirt/a.jpg").write_bytes(b"")
        write_csv(csv, *(row(f"Images/skirt/{name}.jpg") for name in "abc"))
        out = tmp_path / "drawn"

        result = run("draw", csv, out)

        assert result.exit_code == 1
        assert "1 of 3 images drawn" in result.stdout
        assert "a.jpg: the file is empty (0 bytes)" in result.stderr
        assert "c.jpg: the image is missing" in result.stderr
        assert [path.name for path in out.rglob("*.jpg")] == ["b.jpg"]

    def test_control_characters_do_not_reach_the_terminal(
        self, data: Path, csv: Path, tmp_path: Path
    ) -> None:
        write_csv(csv, row("Images/skirt/a.jpg"), row("Images/skirt/\x1b[2J.jpg"))

        stderr = run("draw", csv, tmp_path / "drawn").stderr

        assert "Images/skirt/\\x1b[2J.jpg: the image is missing" in stderr
        assert "\x1b" not in stderr

    def test_never_overwrites_the_data(self, data: Path, csv: Path) -> None:
        before = (data / "Images/skirt/a.jpg").read_bytes()

        result = run("draw", csv, data)

        assert result.exit_code == 1
        assert "would overwrite the input" in result.stderr
        assert (data / "Images/skirt/a.jpg").read_bytes() == before

    def test_never_overwrites_the_labels_nor_the_predictions(
        self, data: Path, csv: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "drawn" / "Images" / "skirt"
        out.mkdir(parents=True)
        for precious in (csv, shutil.copy(csv, tmp_path / "predictions.csv")):
            (out / "a.jpg").unlink(missing_ok=True)
            (out / "a.jpg").symlink_to(precious)
            before = Path(precious).read_bytes()

            result = run(
                "draw", csv, tmp_path / "drawn", "--images", data,
                "--predictions", tmp_path / "predictions.csv",
            )  # fmt: skip

            assert result.exit_code == 1
            assert "would overwrite the input" in result.stderr
            assert Path(precious).read_bytes() == before

    def test_no_images_to_be_found(self, csv: Path, tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        empty.mkdir()

        result = run("draw", csv, tmp_path / "drawn", "--images", empty)

        assert result.exit_code == 1
        assert "none of the 2 images" in result.stderr
        assert "--images" in result.stderr

    def test_an_id_that_leaves_the_root_is_refused(self, csv: Path, tmp_path: Path) -> None:
        write_csv(csv, row("../escaped.jpg"))
        write_image(csv.parent.parent / "escaped.jpg")

        result = run("draw", csv, tmp_path / "deep" / "drawn")

        assert result.exit_code == 1
        assert "leaves the data root" in result.stderr
        assert not (tmp_path / "deep").exists()

    def test_a_folder_that_cannot_be_made(self, csv: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        result = run("draw", csv, tmp_path / "file" / "drawn")

        assert result.exit_code == 1
        assert "Traceback" not in result.output
        assert str(tmp_path / "file") in result.stderr


class TestSynth:
    def test_draws_a_data_set_that_passes_the_check(self, tmp_path: Path) -> None:
        out = tmp_path / "drawn"

        result = run("synth", out, "--images", 10, "--seed", 3)

        assert result.exit_code == 0
        assert f"10 images drawn below {out}" in result.stdout
        rows = 0
        for split in ("train", "val"):
            csv = out / split / "Annotations" / f"{split}.csv"
            assert str(csv) in result.stdout
            found = run_json("check", csv, "--images", out / split)
            assert found["errors"] == 0
            assert set(found["categories"]) == set(CATEGORY_NAMES)
            rows += found["rows"]
        assert rows == 10

    def test_does_not_overwrite(self, tmp_path: Path) -> None:
        (tmp_path / "precious").touch()

        result = run("synth", tmp_path, "--images", 5)

        assert result.exit_code == 1
        assert "not an empty folder" in result.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_an_interrupted_write_leaves_no_half_picture(
    data: Path, csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "drawn"
    run("draw", csv, out)
    before = (out / "Images/skirt/a.jpg").read_bytes()

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", fail)
    result = run("draw", csv, out, "--names")

    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert (out / "Images/skirt/a.jpg").read_bytes() == before
    assert sorted(path.name for path in out.rglob("*.*")) == ["a.jpg", "b.jpg"]
