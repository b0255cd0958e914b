import hashlib
import re

import cv2
import numpy as np
import pytest

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.synthetic import dataset, write_dataset


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A data set of twelve images and the progress that was reported."""
    out = tmp_path_factory.mktemp("synthetic") / "new" / "data"
    progress = []
    csvs = write_dataset(out, 12, 4, progress=progress.append)
    return out, csvs, progress


def test_the_layout_is_fashionais(written):
    out, csvs, _ = written
    assert csvs == (out / "train/Annotations/train.csv", out / "val/Annotations/val.csv")
    assert sorted(path.name for path in out.iterdir()) == ["train", "val"]
    for split, csv in zip(("train", "val"), csvs, strict=True):
        ids = [line.split(",")[0] for line in csv.read_text().splitlines()[1:]]
        files = {p.relative_to(out / split).as_posix() for p in (out / split).rglob("*.jpg")}
        assert set(ids) == files
        for image_id in ids:
            assert re.fullmatch(
                rf"Images/({'|'.join(CATEGORY_NAMES)})/[0-9a-f]{{32}}\.jpg", image_id
            )


def test_a_file_is_named_by_its_bytes(written):
    out, _, _ = written
    for path in out.rglob("*.jpg"):
        assert path.stem == hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_the_csv_has_the_contests_shape(written):
    for csv in written[1]:
        text = csv.read_bytes().decode()
        assert text.endswith("\n") and "\r" not in text
        header, *rows = text.splitlines()
        assert header.split(",") == ["image_id", "image_category", *KEYPOINT_NAMES]
        for row in rows:
            image_id, category, *cells = row.split(",")
            assert image_id.split("/")[1] == category
            assert len(cells) == len(KEYPOINT_NAMES)
            assert all(re.fullmatch(r"-1_-1_-1|\d+_\d+_[01]", cell) for cell in cells)


def test_the_projects_reader_takes_it_and_the_points_fit_the_pictures(written):
    out, csvs, _ = written
    for split, csv in zip(("train", "val"), csvs, strict=True):
        table = read_labels(csv)
        for image_id, points in zip(table.image_ids, table.keypoints, strict=True):
            image = cv2.imread(str(out / split / image_id))
            assert (points < image.shape[1::-1]).all()


def test_train_and_val_get_their_shares(written):
    train, val = (read_labels(csv) for csv in written[1])
    assert (len(train), len(val)) == (7, 5)
    assert set(val.category_indices) == set(range(len(CATEGORY_NAMES)))
    shares = [dataset.split_of(index) == "val" for index in range(3000)]
    assert np.mean(shares) == pytest.approx(1 / 6)


def test_progress_counts_up(written):
    assert written[2] == list(range(1, 13))


def test_the_bytes_do_not_depend_on_the_number_of_processes(written, tmp_path):
    write_dataset(tmp_path / "two", 12, 4, workers=2)
    assert content(tmp_path / "two") == content(written[0])


def test_an_image_does_not_depend_on_how_many_there_are(written, tmp_path):
    write_dataset(tmp_path / "few", 3, 4)
    few = {name: data for name, data in content(tmp_path / "few").items() if name.endswith(".jpg")}
    assert len(few) == 3
    assert few.items() <= content(written[0]).items()


def test_another_seed_gives_other_pictures(written, tmp_path):
    write_dataset(tmp_path / "other", 2, 5)
    ours = {path.stem for path in written[0].rglob("*.jpg")}
    assert ours.isdisjoint(path.stem for path in (tmp_path / "other").rglob("*.jpg"))


def test_without_a_second_round_there_is_no_val(tmp_path):
    assert write_dataset(tmp_path / "out", 3, 4) == (tmp_path / "out/train/Annotations/train.csv",)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["train"]


def test_an_empty_folder_is_taken(tmp_path):
    write_dataset(tmp_path, 1, 0)
    assert len(list(tmp_path.rglob("*.jpg"))) == 1


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="not an empty folder"):
        write_dataset(tmp_path, 1, 0)
    assert content(tmp_path) == {"mine.txt": b"keep"}


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("keep")
    with pytest.raises(FileExistsError, match="not an empty folder"):
        write_dataset(tmp_path / "out", 1, 0)


@pytest.mark.parametrize("wrong", [{"images": 0}, {"images": -3}, {"seed": -1}, {"workers": 0}])
def test_numbers_out_of_range_are_refused_before_anything_is_made(tmp_path, wrong):
    given = {"images": 1, "seed": 0, "workers": 1} | wrong
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is "):
        write_dataset(tmp_path / "out", given["images"], given["seed"], workers=given["workers"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_broken_off_run_leaves_nothing_behind(tmp_path, error):
    def stop(done):
        if done == 2:
            raise error

    with pytest.raises(error):
        write_dataset(tmp_path / "out", 3, 0, progress=stop)
    assert not (tmp_path / "out").exists()


def test_a_category_without_a_cut_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "CATEGORY_NAMES", ("jumpsuit", *CATEGORY_NAMES))
    write_dataset(tmp_path / "out", 5, 0)
    folders = {path.parent.name for path in (tmp_path / "out").rglob("*.jpg")}
    assert folders == set(CATEGORY_NAMES)
