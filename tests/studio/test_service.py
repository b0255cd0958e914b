"""The service: its answers, its refusals, and what it does under load and when it is stopped."""

from __future__ import annotations

import asyncio
import base64
import io
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import requests
from PIL import Image

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra studio")
pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from fashionkp_mm.applications import EXACT
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES
from fashionkp_mm.images import decode_image
from fashionkp_mm.runtime import FashionPredictor, shipped_model
from fashionkp_mm.studio import service
from fashionkp_mm.studio.service import Limits, Service, create_service
from fashionkp_mm.studio.service_requests import MAX_PICTURES

ANSWERS = ("predict", "measure", "crop", "align", "present")
BEARER = {"Authorization": "Bearer let-me-in"}


def picture(seed=0, size=(60, 80), form="png"):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


@contextmanager
def served(model, *, token=None, slow=0.0, **limits):
    predictor = FashionPredictor(model)
    facts = {"timeout": 20.0, "max_megapixels": 1.0, **limits}
    service = Service(predictor, "refine", Limits(**facts), EXACT)
    if slow:
        predict = predictor.predict
        predictor.predict = lambda *args: (time.sleep(slow), predict(*args))[1]
    app = create_service(service, token=token)
    with TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False) as client:
        client.service = service
        yield client


def files(*pictures):
    return [("images", (f"{index}.png", data)) for index, data in enumerate(pictures)]


def test_garments_are_as_in_a_file_of_predictions(pose_file):
    pictures = [picture(seed) for seed in range(3)]
    with served(pose_file) as client:
        answer = client.post("/v1/predict", files=files(*pictures)).json()
    assert answer["model"] == "brightest"
    predictor = FashionPredictor(pose_file)
    for index, (data, found) in enumerate(zip(pictures, answer["predictions"], strict=True)):
        (wanted,) = predictor.predict(decode_image(data, "x"))
        expected = {**wanted.to_dict(), "image_id": f"{index}.png", "image_index": index}
        assert found["garments"] == [expected]
        assert found["image_size"] == [60, 80]
        assert found["image"] == f"{index}.png"


def test_json_with_base64_is_the_same(pose_file):
    data = picture()
    with served(pose_file) as client:
        body = {"images": [base64.b64encode(data).decode()], "category": "skirt", "boxes": "whole"}
        (found,) = client.post("/v1/predict", json=body).json()["predictions"]
        options = {"category": "skirt", "boxes": "whole"}
        (other,) = client.post("/v1/predict", files=files(data), data=options).json()["predictions"]
    (garment,) = found["garments"]
    assert (garment["category"], garment["box_source"]) == ("skirt", "whole")
    assert garment["keypoints"] == other["garments"][0]["keypoints"]


def test_lengths(pose_file):
    options = {"category": "trousers", "px_per_cm": "2", "unit": "mm"}
    with served(pose_file) as client:
        answer = client.post("/v1/measure", files=files(picture()), data=options)
        (found,) = answer.json()["pictures"]
        assert found["failures"] == []
        for length in found["garments"][0]["measurements"].values():
            assert length["unit"] == "mm"
            assert length["value"] == pytest.approx(5 * length["distance"], abs=0.1)
        for known, message in (("waist", "expected a length"), ("hat=3cm", "no length 'hat'")):
            answer = client.post("/v1/measure", files=files(picture()), data={"known": known})
            assert answer.status_code == 400
            assert message in answer.json()["error"]


def test_crops(pose_file):
    options = {"category": "trousers", "parts": "garment", "size": "32"}
    with served(pose_file) as client:
        answer = client.post("/v1/crop", files=files(picture()), data=options)
        (found,) = answer.json()["pictures"]
        (one,) = found["crops"]
        assert (one["part"], one["category"], np.shape(one["quad"])) == (
            "garment",
            "trousers",
            (4, 2),
        )
        assert decode_image(base64.b64decode(one["image"]), "crop").shape == (32, 32, 3)
        for bad, message in (({"parts": "hat"}, "no part 'hat'"), ({"size": "9999"}, "1 to 1024")):
            answer = client.post("/v1/crop", files=files(picture()), data=bad)
            assert answer.status_code == 400
            assert message in answer.json()["error"]


def drawn_picture(drawn_root):
    """A drawn garment's category and picture."""
    table = read_labels(drawn_root / "train" / "Annotations" / "train.csv")
    category = CATEGORY_NAMES[table.category_indices[0]]
    return category, (drawn_root / "train" / table.image_ids[0]).read_bytes()


def test_alignments(drawn_root):
    category, photo = drawn_picture(drawn_root)
    with served(shipped_model()) as client:
        residuals = []
        for method in ("similarity", "affine", "tps"):
            data = {"category": category, "size": "64", "method": method}
            answer = client.post("/v1/align", files=files(photo), data=data)
            (found,) = answer.json()["pictures"]
            assert found["failures"] == []
            (one,) = found["garments"]
            assert (one["category"], one["method"]) == (category, method)
            decoded = Image.open(io.BytesIO(base64.b64decode(one["image"])))
            assert (one["media_type"], decoded.size, decoded.mode) == (
                "image/png",
                (64, 64),
                "RGBA",
            )
            assert set(one["keypoints"]) <= set(CATEGORIES[category].keypoints)
            residuals.append(one["residual"])
        # The more a map may bend, the closer it comes.
        assert residuals == sorted(residuals, reverse=True)
        for bad, message in (
            ({"method": "magic"}, "no method 'magic'"),
            ({"size": "0"}, "1 to 1024"),
            ({"size": "²"}, "1 to 1024"),
        ):
            answer = client.post("/v1/align", files=files(picture()), data=bad)
            assert answer.status_code == 400
            assert message in answer.json()["error"]


def test_catalogue_pictures(drawn_root):
    _, photo = drawn_picture(drawn_root)
    with served(shipped_model()) as client:
        for data, kind, mode in (
            ({"preset": "4:5", "background": "keep"}, "image/jpeg", "RGB"),
            ({"background": "transparent", "hide_face": "true"}, "image/png", "RGBA"),
        ):
            answer = client.post("/v1/present", files=files(photo), data=data)
            (found,) = answer.json()["pictures"]
            assert found["failures"] == []
            (one,) = found["garments"]
            decoded = Image.open(io.BytesIO(base64.b64decode(one["image"])))
            assert (one["media_type"], decoded.mode) == (kind, mode)
            assert decoded.size == (one["width"], one["height"])
        for bad, message in (
            ({"preset": "market"}, "no preset 'market'"),
            ({"fill": "much"}, "expected a number"),
            ({"fill": "7"}, "expected 0.05 to 1"),
            ({"background": "#12"}, "#12"),
            ({"hide_face": "perhaps"}, "true or false"),
        ):
            answer = client.post("/v1/present", files=files(picture()), data=bad)
            assert answer.status_code == 400, bad
            assert message in answer.json()["error"]


BAD = {
    "no picture": ({"files": files(b"GIF87a no picture")}, 422, "0.png: "),
    "cut off": ({"files": files(picture()[:500])}, 422, "0.png: "),
    "too large": ({"files": files(picture(size=(1001, 1000)))}, 422, "too large"),
    "none": ({"data": {"category": "skirt"}, "files": {"x": b""}}, 400, "expected"),
    "too many": ({"files": files(*[picture()] * (MAX_PICTURES + 1))}, 400, "Too many"),
    "category": ({"files": files(picture()), "data": {"category": "hat"}}, 400, "'hat'"),
    "boxes": ({"files": files(picture()), "data": {"boxes": "there"}}, 400, "'there'"),
    "detector": ({"files": files(picture()), "data": {"boxes": "detector"}}, 400, "serve --boxes"),
    "option": ({"files": files(picture()), "data": {"colour": "red"}}, 400, "unknown: colour"),
    "text": ({"content": b"hello", "headers": {"Content-Type": "text/plain"}}, 400, "text/plain"),
    "no JSON": ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "JSON"),
    "a list": ({"json": []}, 400, "expected an object"),
    "no base64": ({"json": {"images": ["???"]}}, 400, "image 0 is not base64"),
    "numbers": ({"json": {"images": [3]}}, 400, "list of base64"),
    "no boundary": (
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        400,
        "multipart",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_are_told_why(pose_file, case):
    request, status, message = BAD[case]
    with served(pose_file) as client:
        answer = client.post("/v1/predict", **request)
        assert answer.status_code == status, answer.text
        assert message in answer.json()["error"]
        assert client.service.batcher.waiting == 0
        assert client.post("/v1/predict", files=files(picture())).status_code == 200


def test_a_request_that_is_too_large(pose_file):
    with served(pose_file, max_bytes=10_000) as client:
        assert client.post("/v1/predict", files=files(picture())).status_code == 413


def test_what_takes_too_long_is_given_up(pose_file):
    with served(pose_file, slow=0.6, timeout=0.2) as client:
        answer = client.post("/v1/predict", files=files(picture()))
        assert answer.status_code == 504
        assert "longer than 0.2 s" in answer.json()["error"]
        assert client.service.batcher.waiting == 0


def test_applications_count_in_the_time_that_an_answer_may_take(pose_file, monkeypatch):
    monkeypatch.setattr(service, "measured", lambda *_: time.sleep(1))
    with served(pose_file, timeout=0.5) as client:
        answer = client.post("/v1/measure", files=files(picture()))
        assert answer.status_code == 504
        assert "0.5 s" in answer.json()["error"]
        assert client.service.batcher.waiting == 0


def statuses_of(app, receive):
    """What a request is answered whose content comes from ``receive``."""
    head = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = dict(type="http", method="POST", path="/v1/predict", query_string=b"", headers=head)
    statuses = []

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(app(scope, receive, send))
    return statuses


def test_a_request_that_does_not_arrive_is_given_up(pose_file):
    async def receive():
        await asyncio.sleep(60)

    with served(pose_file, timeout=0.2) as client:
        assert statuses_of(client.app, receive) == [408]


def test_who_hangs_up_is_no_fault_of_the_server(pose_file):
    async def receive():
        return {"type": "http.disconnect"}

    with served(pose_file) as client:
        statuses_of(client.app, receive)
        counted = 'fashionkp_requests_total{path="/v1/predict",status="499"} 1.0'
        assert counted in client.get("/metrics").text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v2/predict", 404), ("GET", "/v1/predict", 405)]
)
def test_what_there_is_not_is_said_like_any_other_error(pose_file, method, path, status):
    with served(pose_file) as client:
        answer = client.request(method, path)
        assert answer.status_code == status
        assert answer.json()["error"].startswith(f"{method} {path}: ")


def test_a_broken_upload_is_named_without_advice_on_files(pose_file):
    with served(pose_file) as client:
        answer = client.post("/v1/predict", files=[("images", ("note.txt", b"hello"))])
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("note.txt: not an image of a format that is read")
        assert "CSV" not in answer.json()["error"]


def test_what_is_too_much_is_told_when_to_come_again(pose_file):
    with served(pose_file, slow=0.5, most_waiting=2) as client:
        answers = []

        def ask():
            answers.append(client.post("/v1/predict", files=files(picture())))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = sorted(answer.status_code for answer in answers)
        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= 2
        busy = next(answer for answer in answers if answer.status_code == 503)
        assert int(busy.headers["retry-after"]) >= 1
        assert "busy" in busy.json()["error"]


def test_metrics_are_read_by_their_own_parser(pose_file):
    with served(pose_file) as client:
        for _ in range(3):
            client.post("/v1/predict", files=files(picture(), picture()))
        client.post("/v1/predict", files=files(b"no picture"))
        client.get("/somewhere")
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert values["fashionkp_requests_total", "/v1/predict", "200"] == 3
    assert values["fashionkp_requests_total", "/v1/predict", "422"] == 1
    assert values["fashionkp_requests_total", "other", "404"] == 1
    assert values["fashionkp_request_seconds_count", "/v1/predict"] == 4
    assert values["fashionkp_batch_pictures_sum",] == 6
    assert values["fashionkp_waiting_pictures",] == 0
    assert values["process_resident_memory_bytes",] > 1e6


def test_the_description_is_read_by_another_library(pose_file):
    openapi = pytest.importorskip("openapi_pydantic", reason="openapi-pydantic is not installed")
    with served(pose_file) as client:
        content = client.get("/openapi.json").json()
        assert client.get("/docs").status_code == 404  # it would load scripts from elsewhere
    read = openapi.parse_obj(content)
    asked = {"/health", "/ready", "/metrics"}
    assert set(read.paths) == {*(f"/v1/{name}" for name in ANSWERS), *asked}
    body = read.paths["/v1/predict"].post.requestBody.content
    assert set(body) == {"multipart/form-data", "application/json"}
    assert "images" in body["application/json"].media_type_schema.properties


def test_a_token_is_asked_for(pose_file):
    with served(pose_file, token="let-me-in") as client:
        assert client.get("/health").json()["status"] == "alive"
        assert client.get("/ready").json()["status"] == "ready"
        for path in ("/metrics", "/openapi.json"):
            assert client.get(path).status_code == 401
            assert client.get(path, headers=BEARER).status_code == 200
        assert client.post("/v1/predict", files=files(picture())).status_code == 401
        answer = client.post("/v1/predict", files=files(picture()), headers=BEARER)
        assert answer.status_code == 200


def test_pages_of_other_sites_get_nothing(pose_file):
    with served(pose_file) as client:
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            answer = client.post("/v1/predict", files=files(picture()), headers=headers)
            assert answer.status_code == 403


def test_sigterm_finishes_what_is_under_way(pose_file, free_port):
    command = ["serve", "--port", str(free_port), "--model", str(pose_file)]
    server = subprocess.Popen(
        [sys.executable, "-m", "fashionkp_mm", *command], stdout=subprocess.PIPE, text=True
    )
    assert "serving at" in server.stdout.readline()
    address = f"http://127.0.0.1:{free_port}/v1/predict"
    statuses = []
    large = picture(size=(1500, 2000), form="jpeg")

    def ask():
        upload = [("images", (f"{i}.jpg", large)) for i in range(16)]
        statuses.append(requests.post(address, files=upload, timeout=60).status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    ready = f"http://127.0.0.1:{free_port}/ready"
    while not requests.get(ready, timeout=10).json()["waiting"]:
        time.sleep(0.005)
    server.send_signal(signal.SIGTERM)
    thread.join()
    assert server.wait(30) == 0
    assert statuses == [200]
