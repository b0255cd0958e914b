"""The options that commands share, on a command of the same kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from fashionkp_mm.batch.origins import Origin
from fashionkp_mm.batch.run import Done
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.commands.given import GarmentOptions, sharing_options
from fashionkp_mm.commands.job import Job, run_job
from fashionkp_mm.runtime import Prediction

app = typer.Typer()


class Naming:
    """A line a picture with its categories."""

    writes_pictures = False

    def work(self, source: Source, prediction: Prediction) -> Done:
        return Done(" ".join(garment.category for garment in prediction), len(prediction))

    def fits(self, content: Any) -> bool:
        return isinstance(content, str)

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        return (f"{image_id}: {line}\n".encode() for image_id, line in contents)


@app.command()
@sharing_options
def name(
    given: GarmentOptions, *, out: Annotated[Path, typer.Option()] = Path("names.txt")
) -> None:
    """Name garments."""
    given.check_out(out)

    def task(sources: Sequence[Source], origin: Origin) -> Naming:
        return Naming()

    job = Job("name", "naming", "named", out, "text", task, opens_pictures=False)
    raise typer.Exit(run_job(given, job))


def run(*args: object) -> Result:
    runner = CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1"})
    return runner.invoke(app, [*map(str, args)])


@pytest.fixture
def labels(drawn_root: Path) -> Path:
    return drawn_root / "train" / "Annotations" / "train.csv"


def test_garments_of_labels(labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "names.txt"
    result = run("--labels", labels, "--out", out)
    assert result.exit_code == 0, result.output
    rows = [line.split(",")[:2] for line in labels.read_text().splitlines()[1:]]
    assert out.read_text().splitlines() == [f"{image_id}: {name}" for image_id, name in rows]
    assert f"{len(rows)} images named in" in result.stdout
    assert not list(tmp_path.glob("*.part.jsonl"))


def test_garments_of_a_model(drawn_root: Path, model: Path, tmp_path: Path) -> None:
    picture = next((drawn_root / "train" / "Images").rglob("*.jpg"))
    out = tmp_path / "names.txt"
    result = run(picture, "--model", model, "--category", "skirt", "--out", out)
    assert result.exit_code == 0, result.output
    assert out.read_text() == f"{picture}: skirt\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no picture: name images or folders, or a file of garments"),
        (["--labels", "LABELS", "--predictions", "LABELS"], "two answers to one question"),
        (["--labels", "LABELS", "--flip-test"], "--flip-test is for predicting"),
        (["x.jpg", "--images", "."], "--images is for CSV files"),
        (["x.jpg", "--category", "sock"], "there is no category 'sock'"),
        (["x.jpg", "--shard", "9/8"], "'9/8' is no shard; expected one such as 3/8"),
        (["--labels", "LABELS", "--out", "-", "--resume"], "--resume needs a file to go on with"),
    ],
)
def test_options_that_contradict_each_other(
    arguments: list[str], message: str, labels: Path
) -> None:
    result = run(*(str(labels) if each == "LABELS" else each for each in arguments))
    assert result.exit_code == 2
    assert message in result.stderr


def test_shards_are_all_pictures_once(labels: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "names.txt", [tmp_path / f"{number}.txt" for number in (1, 2, 3)]
    assert run("--labels", labels, "--out", whole).exit_code == 0
    for number, part in enumerate(parts, start=1):
        result = run("--labels", labels, "--shard", f"{number}/3", "--out", part)
        assert result.exit_code == 0, result.output
        lines = part.read_text().splitlines()
        images = len(labels.read_text().splitlines()) - 1
        assert f"shard {number}/3: {len(lines)} of {images} images" in result.stderr
    lines = [line for part in parts for line in part.read_text().splitlines()]
    assert sorted(lines) == sorted(whole.read_text().splitlines())
    assert [*filter(None, map(Path.read_text, parts))] == [*map(Path.read_text, parts)]


def test_a_shard_without_a_picture_has_its_file(labels: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.csv"
    one.write_text("\n".join(labels.read_text().splitlines()[:2]) + "\n")
    contents = []
    for number in (1, 2):
        out = tmp_path / f"{number}.txt"
        result = run("--labels", one, "--shard", f"{number}/2", "--out", out)
        assert result.exit_code == 0, result.output
        contents.append(out.read_text())
    assert sorted(map(len, contents))[0] == 0
    assert any(contents)


def test_a_shard_goes_on_as_the_same_shard_alone(
    labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "names.txt"

    work, done = Naming.work, []

    def interrupted(self: Naming, source: Source, prediction: Prediction) -> Done:
        if done:
            raise KeyboardInterrupt
        done.append(source)
        return work(self, source, prediction)

    with monkeypatch.context() as patched:
        patched.setattr(Naming, "work", interrupted)
        assert run("--labels", labels, "--shard", "1/2", "--out", out).exit_code == 130
    result = run("--labels", labels, "--shard", "2/2", "--out", out, "--resume")
    assert result.exit_code == 1
    assert "shard" in result.stderr
    result = run("--labels", labels, "--shard", "1/2", "--out", out, "--resume")
    assert result.exit_code == 0, result.output


def test_the_file_of_garments_is_never_written_over(labels: Path) -> None:
    before = labels.read_bytes()
    result = run("--labels", labels, "--out", labels)
    assert result.exit_code == 1
    assert "would overwrite the input" in result.stderr
    assert labels.read_bytes() == before


def test_help_shows_all_options() -> None:
    shown = run("--help").stdout
    for option in ("PATH", "--out", "--predictions", "--labels", "--model", "--resume", "--shard"):
        assert option in shown
