"""The server: what it answers, to whom, and what it refuses."""

from __future__ import annotations

import base64
import json
import os
import threading
from contextlib import contextmanager

import pytest

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra studio")
from starlette.testclient import TestClient

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORIES
from fashionkp_mm.exchange.formats import read_table
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.studio.album import open_album, read_others
from fashionkp_mm.studio.app import MAX_REQUEST_BYTES, PAGE, create_app
from fashionkp_mm.studio.doubt import Doubt, doubt_of
from fashionkp_mm.studio.session import Session
from fashionkp_mm.studio.store import Store

TOKEN = "a-secret-of-the-test"


@contextmanager
def opened(source, *, model=None, token=None, others=None, **facts):
    """A client of a studio that was opened with a source."""
    album = open_album(source)
    predictor = None if model is None else FashionPredictor(model)
    compared = None if others is None else read_others(others, list(album.labels))
    with Store(album.store_path) as store:
        session = Session(album, store, predictor, others=compared, max_megapixels=10, **facts)
        app = create_app(session, author="Ann", token=token)
        with TestClient(app, base_url="http://localhost:8765", raise_server_exceptions=False) as it:
            it.session = session
            yield it


def picture(client, number=1):
    return client.get(f"/api/pictures/{number}").json()


def change(client, number, garments, *, revision=0, key="", state="open", author="Bob"):
    return client.post(
        f"/api/pictures/{number}",
        json=dict(
            garments=garments,
            revision=revision,
            key=key or f"change of {number}",
            state=state,
            author=author,
        ),
    )


def without(garment, *facts):
    return {key: value for key, value in garment.items() if key not in facts}


# --- labels


def test_a_picture_has_its_labels_and_places_for_absent_points(labels):
    path = labels(3)
    table = read_labels(path)
    with opened(path) as client:
        for row in range(3):
            shown = picture(client, row + 1)
            assert shown["image_id"] == table.image_ids[row]
            assert shown["error"] is None
            (garment,) = shown["garments"]
            assert set(garment["keypoints"]) == set(CATEGORIES[garment["category"]].keypoints)
            for point in garment["keypoints"].values():
                assert -200 < point["x"] < 800
                assert -200 < point["y"] < 800
            assert client.get(f"/api/pictures/{row + 1}/image").content.startswith(b"\xff\xd8")


def test_a_change_is_kept_and_found_again(labels):
    path = labels(2)
    with opened(path) as client:
        garments = picture(client)["garments"]
        name = next(iter(garments[0]["keypoints"]))
        garments[0]["keypoints"][name] = {"x": 12.5, "y": 7, "visibility": "occluded"}
        answer = change(client, 1, garments, state="accepted")
        assert answer.status_code == 200
        assert answer.json()["revision"] == 1
    with opened(path) as client:
        shown = picture(client)
        assert shown["garments"] == garments
        assert (shown["state"], shown["author"], shown["by_person"]) == ("accepted", "Bob", True)
        history = client.get("/api/pictures/1/history").json()
        assert [each["author"] for each in history] == ["labels.csv", "Bob"]


def test_a_change_on_what_was_not_seen_shows_what_is_there(labels):
    with opened(labels(1)) as client:
        change(client, 1, [], key="first", author="Bob")
        answer = change(client, 1, [], key="second", author="Cid")
        assert answer.status_code == 409
        assert answer.json()["current"]["author"] == "Bob"
        assert "Bob has changed" in answer.json()["error"]


BROKEN = {
    "unknown category": lambda g: [{**g, "category": "hat"}],
    "has other points": lambda g: [{**g, "keypoints": {}}],
    "finite number": lambda g: [with_x(g, float("nan"))],
    "less than or equal": lambda g: [with_x(g, 1e9)],
    "valid number": lambda g: [with_x(g, "left")],
    "'visible', 'occluded' or 'absent'": lambda g: [with_x(g, 1, visibility="seen")],
    "at most 200": lambda g: [g] * 201,
    "not permitted": lambda g: [{**g, "note": "x"}],
    "valid list": lambda g: "none",
}


def with_x(garment, x, **more):
    name, point = next(iter(garment["keypoints"].items()))
    return {**garment, "keypoints": {**garment["keypoints"], name: {**point, "x": x, **more}}}


@pytest.mark.parametrize("message", BROKEN)
def test_garments_that_are_none_are_refused(labels, message):
    with opened(labels(1)) as client:
        (garment,) = picture(client)["garments"]
        body = dict(
            garments=BROKEN[message](garment), revision=0, key="k", state="open", author="B"
        )
        answer = client.post(
            "/api/pictures/1",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 422
        assert message in answer.json()["error"]
        assert picture(client)["revision"] == 0


@pytest.mark.parametrize("number", ["99", "-1", "x", "..%2f..%2fetc%2fpasswd", "1%00"])
def test_there_is_no_such_picture(labels, number):
    with opened(labels(1)) as client:
        for end in ("", "/image", "/history"):
            assert client.get(f"/api/pictures/{number}{end}").status_code in (404, 422)


def test_what_there_is_not_is_said_like_any_other_error(labels):
    with opened(labels(1)) as client:
        assert client.get("/api/nothing").json() == {"error": "GET /api/nothing: Not Found"}
        answer = client.delete("/api/queue")
        assert answer.status_code == 405
        assert answer.json() == {"error": "DELETE /api/queue: Method Not Allowed"}


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page//etc/passwd"])
def test_no_path_leaves_the_pages_folder(labels, path):
    with opened(labels(1)) as client:
        assert client.get(path).status_code == 404
        assert client.get("/page/main.js").status_code == 200


def test_a_picture_outside_the_folder_is_not_served(tmp_path, labels):
    """An id may say what it likes."""
    path = labels(1)
    (tmp_path / "secret.jpg").write_bytes(
        (path.parent / read_labels(path).image_ids[0]).read_bytes()
    )
    rows = path.read_text().splitlines()
    outside = rows[1].split(",")
    predictions = path.with_name("predictions.csv")
    names = ["../secret.jpg", str(tmp_path / "secret.jpg")]
    lines = [",".join([name, *outside[1:]]) for name in names]
    predictions.write_text("\n".join([*rows[:2], *lines]) + "\n")
    with opened(predictions) as client:
        assert client.get("/api/pictures/1/image").status_code == 200
        for number in (2, 3):
            assert client.get(f"/api/pictures/{number}/image").status_code == 422
            assert "missing" in picture(client, number)["error"]


def test_a_missing_and_a_broken_picture_are_said_and_the_rest_works(labels):
    path = labels(3)
    ids = read_labels(path).image_ids
    (path.parent / ids[0]).unlink()
    (path.parent / ids[1]).write_bytes(b"\xff\xd8 no picture")
    with opened(path) as client:
        assert "missing" in picture(client, 1)["error"]
        assert picture(client, 1)["garments"]
        assert "not an image" in picture(client, 2)["error"]
        assert client.get("/api/pictures/2/image").status_code == 422
        assert picture(client, 3)["error"] is None
        missing = [entry["missing"] for entry in client.get("/api/queue").json()]
        assert missing == [True, True, False]
        answer = client.post("/api/pictures/2/predict", json={"box": [0, 0, 9, 9]})
        assert answer.status_code == 422


def test_the_image_is_sent_once(labels):
    path = labels(1)
    with opened(path) as client:
        first = client.get("/api/pictures/1/image")
        headers = {"If-None-Match": first.headers["etag"]}
        assert client.get("/api/pictures/1/image", headers=headers).status_code == 304
        address = f"/api/pictures/1/image?content={picture(client)['content']}"
        assert "immutable" in client.get(address).headers["cache-control"]
        assert "immutable" not in first.headers["cache-control"]
        os.utime(path.parent / read_labels(path).image_ids[0], (1, 1))
        assert client.get("/api/pictures/1/image", headers=headers).status_code == 200
        assert "immutable" not in client.get(address).headers["cache-control"]


def test_a_full_disk_is_said(labels):
    with opened(labels(1)) as client:
        client.session._store._connection.execute("PRAGMA max_page_count = 4")
        (garment,) = picture(client)["garments"]
        answer = change(client, 1, [garment] * 100)
        assert answer.status_code == 507
        assert "disk is full" in answer.json()["error"]
        assert picture(client)["revision"] == 0


# --- categories and boxes


def test_another_category_keeps_the_points_that_both_have(labels):
    with opened(labels(1)) as client:
        box = {"box": [100, 50, 300, 450], "category": "blouse"}
        blouse = client.post("/api/pictures/1/predict", json=box).json()
        dress = client.post("/api/category", json={"garment": blouse, "category": "dress"}).json()
        both = set(blouse["keypoints"]) & set(dress["keypoints"])
        assert {"armpit_left", "neckline_right"} <= both
        for name in both:
            assert dress["keypoints"][name] == blouse["keypoints"][name]
        hem = dress["keypoints"]["hemline_left"], dress["keypoints"]["hemline_right"]
        assert hem[0]["x"] < hem[1]["x"]
        assert hem[0]["y"] > blouse["keypoints"]["armpit_left"]["y"]


def test_a_category_without_a_common_point_fills_the_same_box(labels):
    with opened(labels(1)) as client:
        box = {"box": [100, 50, 300, 450], "category": "blouse"}
        blouse = client.post("/api/pictures/1/predict", json=box).json()
        skirt = client.post("/api/category", json={"garment": blouse, "category": "skirt"}).json()
        xs = [point["x"] for point in skirt["keypoints"].values()]
        ys = [point["y"] for point in skirt["keypoints"].values()]
        assert [min(xs), min(ys), max(xs), max(ys)] == pytest.approx([100, 50, 300, 450], abs=0.01)


def test_an_unknown_category_is_refused(labels):
    with opened(labels(1)) as client:
        (garment,) = picture(client)["garments"]
        answer = client.post("/api/category", json={"garment": garment, "category": "hat"})
        assert answer.status_code == 422
        assert "expected one of blouse" in answer.json()["error"]


def test_the_model_predicts_in_a_box(labels, pose_file):
    path = labels(1)
    with opened(path, model=pose_file) as client:
        body = {"box": [10, 20, 200, 300], "category": "skirt"}
        found = client.post("/api/pictures/1/predict", json=body).json()
        image = path.parent / read_labels(path).image_ids[0]
        (wanted,) = FashionPredictor(pose_file).predict(image, "skirt", [[10, 20, 200, 300]])
        for name, point in wanted.to_dict()["keypoints"].items():
            assert found["keypoints"][name] == point
        assert picture(client)["revision"] == 0


def test_a_box_that_is_none(labels, pose_file):
    with opened(labels(1), model=pose_file) as client:
        for box in ([9, 9, 1, 1], [9000, 9000, 9100, 9100]):
            answer = client.post("/api/pictures/1/predict", json={"box": box})
            assert answer.status_code == 422
        answer = client.post("/api/pictures/1/predict", json={"box": [1, 2, 3]})
        assert answer.status_code == 422


def test_without_a_model_a_category_is_needed(labels):
    with opened(labels(1)) as client:
        answer = client.post("/api/pictures/1/predict", json={"box": [0, 0, 99, 99]})
        assert answer.status_code == 422
        assert "choose one" in answer.json()["error"]


def test_a_folder_is_labelled_by_the_model_once(labels, pose_file):
    path = labels(3)
    folder = path.parent / "Images"
    with opened(folder, model=pose_file) as client:
        first = picture(client)
        assert first["author"] == "brightest"
        assert first["revision"] == 1
        change(client, 1, [], revision=1)
    with opened(folder, model=pose_file) as client:
        assert picture(client)["garments"] == []
        assert picture(client, 2)["revision"] == 1


def test_the_rest_of_a_folder_is_labelled_meanwhile(labels, pose_file):
    folder = labels(4).parent / "Images"
    with opened(folder, model=pose_file) as client:
        client.session.predict_all(threading.Event())
        entries = client.get("/api/queue").json()
        assert all(entry["categories"] for entry in entries)
        assert all(entry["reason"] for entry in entries)


def test_lengths_and_crops_of_a_garment_as_it_is_on_the_page(labels):
    with opened(labels(1)) as client:
        box = {"box": [100, 50, 300, 450], "category": "trousers"}
        trousers = client.post("/api/pictures/1/predict", json=box).json()
        made = client.post("/api/pictures/1/applied", json=trousers).json()
        points = trousers["keypoints"]
        waist = next(each for each in made["lengths"] if each["name"] == "waist")
        apart = points["waistband_right"]["x"] - points["waistband_left"]["x"]
        assert waist["pixels"] == pytest.approx(apart, abs=0.1)
        assert (made["unit"], waist["value"]) == ("waist", 1)
        assert {"crotch", "garment_length"} & {each["name"] for each in made["crops"]}
        assert all(base64.b64decode(each["image"])[:2] == b"\xff\xd8" for each in made["crops"])
        for point in points.values():
            point["visibility"] = "absent"
        answer = client.post("/api/pictures/1/applied", json=trousers)
        assert answer.status_code == 422


# --- doubt


def test_what_passes_disagree_on_is_doubtful():
    points = {"waistband_left": (10, 0), "waistband_right": (110, 0)}
    points |= {"hemline_left": (0, 80), "hemline_right": (120, 80)}
    garment = {
        "category": "skirt",
        "keypoints": {
            name: {"x": x, "y": y, "visibility": "visible", "score": 0.9, "spread": 2.0}
            for name, (x, y) in points.items()
        },
    }
    assert doubt_of([garment]) == Doubt(pytest.approx(0.1), "waistband_left 0.90")
    garment["keypoints"]["hemline_right"]["spread"] = 45.0  # of a waistband of 100 pixels
    assert doubt_of([garment]) == Doubt(0.45, "hemline_right: passes 45% apart")


def test_what_differs_most_from_predictions_is_the_most_doubtful(labels, tmp_path):
    path = labels(3)
    others = path.with_name("predictions.csv")
    lines = path.read_text().splitlines()
    cells = lines[2].split(",")
    column = next(k for k, cell in enumerate(cells) if k > 1 and cell != "-1_-1_-1")
    x, y, v = cells[column].split("_")
    cells[column] = f"{int(x) + 40}_{y}_{v}"
    others.write_text("\n".join([*lines[:2], ",".join(cells), *lines[3:]]) + "\n")
    with opened(path, others=others) as client:
        doubts = [entry["doubt"] for entry in client.get("/api/queue").json()]
        assert doubts[1] > 0.05
        assert doubts[0] == doubts[2] == 0
        assert picture(client, 2)["others"]


# --- export


def test_a_download_has_all_labels(labels, tmp_path):
    path = labels(4)
    with opened(path) as client:
        (garment,) = picture(client)["garments"]
        change(client, 1, [garment, garment])
        change(client, 2, [])
        csv = client.get("/api/export?form=fashionai")
        assert "labels.csv" in csv.headers["content-disposition"]
        assert "1 picture with several garments" in csv.headers["x-notes"]
        before, after = path.read_bytes().splitlines(), csv.content.splitlines()
        assert after == [*before[:2], *before[3:]]
        for form, name in (("json", "p.json"), ("coco", "coco.json")):
            (tmp_path / name).write_bytes(client.get(f"/api/export?form={form}").content)
            assert len(read_table(tmp_path / name)) == 4


def test_nothing_to_export(labels, pose_file):
    with opened(labels(1)) as client:
        change(client, 1, [])
        answer = client.get("/api/export?form=fashionai")
        assert answer.status_code == 409
        assert "no garment" in answer.json()["error"]


def test_writing_back_changes_what_was_changed_alone(labels):
    path = labels(4)
    before = path.read_text().splitlines()
    path.write_text(
        "\r\n".join(f"{line},{i}" if i else f"{line},note" for i, line in enumerate(before))
    )
    before = path.read_text().splitlines()
    with opened(path) as client:
        garments = picture(client, 2)["garments"]
        name = next(
            name for name, p in garments[0]["keypoints"].items() if p["visibility"] == "visible"
        )
        garments[0]["keypoints"][name].update(x=3, y=4.5)
        change(client, 2, garments, key="a")
        change(client, 3, [], key="b")
        answer = client.post("/api/write-back", json={})
        assert answer.json()["notes"] == [f"{path}: 2 pictures changed"]
        after = path.read_text().splitlines()
        assert [*before[:2], before[4]] == [*after[:2], after[3]]
        assert len(after) == 4
        assert "3_4.50_1" in after[2]
        assert after[2].endswith(",2")
        assert client.post("/api/write-back", json={}).json()["notes"] == [
            f"{path}: 0 pictures changed"
        ]
        assert path.read_text().splitlines() == after
        change(client, 3, picture(client, 1)["garments"], revision=1, key="c")
        client.post("/api/write-back", json={})
        assert len(path.read_text().splitlines()) == 5


def test_a_file_that_another_program_has_changed_is_not_written(labels):
    path = labels(2)
    with opened(path) as client:
        change(client, 1, [])
        path.write_text(path.read_text() + "\n")
        before = path.read_bytes()
        answer = client.post("/api/write-back", json={})
        assert answer.status_code == 409
        assert "another program" in answer.json()["error"]
        assert path.read_bytes() == before


def test_json_is_written_back_with_all_that_was_in_it(labels, tmp_path, pose_file):
    path = labels(2)
    source = path.with_name("predictions.json")
    predictor = FashionPredictor(pose_file)
    entries = []
    for image_id in read_labels(path).image_ids:
        (garment,) = predictor.predict(path.parent / image_id)
        entries.append({**garment.to_dict(), "image_id": image_id})
    source.write_text(json.dumps(entries))
    with opened(source) as client:
        garments = picture(client, 2)["garments"]
        name = next(iter(garments[0]["keypoints"]))
        garments[0]["keypoints"][name] = {"x": 5, "y": 6, "visibility": "visible"}
        change(client, 2, garments)
        client.post("/api/write-back", json={})
    after = json.loads(source.read_text())
    assert after[0] == entries[0]
    assert (after[1]["keypoints"][name]["x"], after[1]["keypoints"][name]["y"]) == (5, 6)


# --- who may ask


def test_every_answer_has_the_headers_of_safety(labels):
    with opened(labels(1)) as client:
        for path in ("/", "/page/main.js", "/api/queue", "/api/pictures/1/image", "/nothing"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"], path
            assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8765"},
        {"Host": "localhost.evil.example"},
        {"Host": "10.0.0.7:8765"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_get_nothing(labels, headers):
    with opened(labels(1)) as client:
        assert client.get("/api/queue", headers=headers).status_code == 403
        body = dict(garments=[], revision=0, key="k", state="open", author="B")
        assert client.post("/api/pictures/1", json=body, headers=headers).status_code == 403
        assert picture(client)["revision"] == 0


def test_the_page_itself_passes(labels):
    with opened(labels(1)) as client:
        headers = {"Origin": "http://localhost:8765", "Sec-Fetch-Site": "same-origin"}
        assert change(client, 1, []).status_code == 200
        assert client.get("/api/queue", headers=headers).status_code == 200
        assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("length", [MAX_REQUEST_BYTES + 1, "many"])
def test_a_request_that_is_too_large(labels, length):
    with opened(labels(1)) as client:
        headers = {"Content-Length": str(length)}
        answer = client.post("/api/category", content=b"{}", headers=headers)
        assert answer.status_code == 413


def test_a_request_that_says_nothing_of_its_length(labels):
    with opened(labels(1)) as client:
        chunks = (b"x" * 2**16 for _ in range(MAX_REQUEST_BYTES // 2**16 + 2))
        answer = client.post(
            "/api/category", content=chunks, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413


def test_a_token_is_asked_for(labels):
    with opened(labels(1), token=TOKEN) as client:
        for path in (
            "/",
            "/page/main.js",
            "/api/queue",
            "/?token=wrong",
            f"/api/queue?token={TOKEN}",
        ):
            assert client.get(path).status_code == 401, path
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/api/queue", headers=bearer).status_code == 200
        answer = client.get(f"/?token={TOKEN}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert client.get("/api/queue").status_code == 200
        client.cookies.clear()
        client.cookies.set("fashionkp_token", "wrong")
        assert client.get("/api/queue").status_code == 401


def test_with_a_token_the_server_is_reached_by_its_address(labels):
    with opened(labels(1), token=TOKEN) as client:
        cookie = {"Cookie": f"fashionkp_token={TOKEN}"}
        for host, status in (("192.168.1.5:8765", 200), ("[fe80::1]:8765", 200), ("evil.x", 403)):
            assert client.get("/api/queue", headers={**cookie, "Host": host}).status_code == status
        bearer = {"Authorization": f"Bearer {TOKEN}", "Host": "fashionkp.service"}
        assert client.get("/api/queue", headers=bearer).status_code == 200


# --- the page's files


def test_the_page_names_no_other_site():
    for path in PAGE.iterdir():
        text = path.read_text()
        for found in ("http://", "https://", "//cdn", "@import", "innerHTML", "eval("):
            rest = text.replace("http://www.w3.org/2000/svg", "")
            assert found not in rest, (path.name, found)
