"""The ML backend: what Label Studio asks, answered in what its SDK accepts."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import numpy as np
import pytest

from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.exchange.label_studio import labeling_config
from fashionkp_mm.images import encode_image
from fashionkp_mm.runtime import FashionPredictor, Prediction

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra studio")
if find_spec("httpx2") is None:
    pytest.importorskip("httpx", reason="httpx, which FastAPI's test client needs, is missing")

from fastapi.testclient import TestClient

from fashionkp_mm.integrations.label_studio import (
    VERSION,
    Backend,
    ConfigError,
    Tags,
    backend_of,
    create_app,
)
from fashionkp_mm.integrations.label_studio_pictures import Pictures

CONFIG = labeling_config()
PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
TASKS = [{"id": 7, "data": {"image": "/data/upload/1/a.png"}}]


class _Handler(BaseHTTPRequestHandler):
    """Gives a picture to whoever has the token, and remembers what was asked."""

    asked: list[tuple[str, str | None]]
    moved: str | None = None

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        if self.path.startswith("/moved") and self.moved:
            self.send_response(303)
            self.send_header("Location", self.moved)
            self.end_headers()
            return
        found = self.path.endswith((".png", "fileuri=czM6Ly9iL2EucG5n"))
        body = encode_image(PIXELS, ".png") if found else b"nothing here"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.asked.append((self.path, None))
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"access": "short-lived"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server:
    """A web server that has pictures."""

    def __init__(self) -> None:
        self.handler = type("Handler", (_Handler,), {"asked": []})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def asked(self) -> list[tuple[str, str | None]]:
        return self.handler.asked


@pytest.fixture
def studio() -> Iterator[Server]:
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture(scope="module")
def predictor(model: Path) -> FashionPredictor:
    return FashionPredictor(model)


def client(predictor: FashionPredictor, pictures: Pictures, **options: Any) -> TestClient:
    return TestClient(create_app(Backend(predictor, pictures, **options)))


def points_of(
    result: list[dict[str, Any]], name: str = "keypoints"
) -> dict[str, tuple[float, float]]:
    return {
        region["value"]["keypointlabels"][0]: (
            region["value"]["x"] * region["original_width"] / 100,
            region["value"]["y"] * region["original_height"] / 100,
        )
        for region in result
        if region["from_name"] == name
    }


def expect(result: list[dict[str, Any]], prediction: Prediction, name: str = "keypoints") -> None:
    (garment,) = prediction
    there = {
        point: (place.x, place.y)
        for point, place in garment.points.items()
        if place.visibility != Visibility.ABSENT
    }
    found = points_of(result, name)
    assert found.keys() == there.keys()
    for point, place in there.items():
        assert found[point] == pytest.approx(np.clip(place, 0, (64, 48)), abs=0.01)
    assert result[0]["value"]["rectanglelabels"] == [garment.category]


def test_what_is_asked_on_connecting(predictor: FashionPredictor) -> None:
    asked = client(predictor, Pictures())
    assert asked.get("/health").json()["status"] == "UP"
    setup = {"project": "1.2", "schema": CONFIG, "hostname": "x", "access_token": "y"}
    assert asked.post("/setup", json=setup).json() == {"model_version": VERSION}
    assert asked.get("/versions").json() == {"versions": [VERSION]}
    event = {"action": "ANNOTATION_CREATED", "annotation": {}}
    assert asked.post("/webhook", json=event).json()["status"] == "ignored"


def test_uploads_are_labelled(predictor: FashionPredictor, studio: Server) -> None:
    asked = client(predictor, Pictures(studio.url, "secret"), category="dress")
    request = {"tasks": TASKS * 2, "label_config": CONFIG, "project": "1.2", "params": {}}
    answer = asked.post("/predict", json=request)
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["results"]
    assert first == second
    assert first["model_version"] == VERSION
    assert 0 <= first["score"] <= 1
    expect(first["result"], predictor.predict(PIXELS, "dress"))
    assert studio.asked == [("/data/upload/1/a.png", "Token secret")] * 2


def test_the_sdk_accepts_the_answer(predictor: FashionPredictor, studio: Server) -> None:
    sdk = pytest.importorskip("label_studio_sdk.label_interface", reason="no label-studio-sdk")
    asked = client(predictor, Pictures(studio.url, "secret"), category="blouse")
    answer = asked.post("/predict", json={"tasks": TASKS, "label_config": CONFIG}).json()
    interface = sdk.LabelInterface(CONFIG)
    assert interface.validate_prediction(answer["results"][0], return_errors=True) == []
    wrong = answer["results"][0]
    wrong["result"][0]["from_name"] = "elsewhere"
    assert not interface.validate_prediction(wrong)


def test_names_of_another_configuration(predictor: FashionPredictor, studio: Server) -> None:
    config = CONFIG
    for name in ("image", "garment", "keypoints", "visibility"):
        config = config.replace(f'"{name}"', f'"my-{name}"')
    config = config.replace('"$image"', '"$photo"')
    asked = client(predictor, Pictures(studio.url, "secret"), category="skirt")
    tasks = [{"id": 1, "data": {"photo": "/data/upload/1/a.png", "image": "no"}}]
    answer = asked.post("/predict", json={"tasks": tasks, "label_config": config})
    (result,) = [each["result"] for each in answer.json()["results"]]
    names = {region["from_name"] for region in result}
    assert names <= {"my-garment", "my-keypoints", "my-visibility"}
    assert {region["to_name"] for region in result} == {"my-image"}
    expect(result, predictor.predict(PIXELS, "skirt"), "my-keypoints")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("<View", "is no XML"),
        ("<View/>", "has no Image"),
        ('<View><Image name="image" value="$image"/></View>', "has no RectangleLabels with the"),
        (CONFIG.replace("KeyPointLabels", "PolygonLabels"), "has no KeyPointLabels"),
        (CONFIG.replace('"occluded"', '"hidden"'), "has no Choices with the label 'occluded'"),
    ],
)
def test_configurations_that_do_not_fit(
    predictor: FashionPredictor, config: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Tags.of(config)
    asked = client(predictor, Pictures())
    for path, request in (
        ("/setup", {"schema": config}),
        ("/predict", {"tasks": [], "label_config": config}),
    ):
        answer = asked.post(path, json=request)
        assert answer.status_code == 422
        assert message in answer.json()["error"]


def test_a_picture_without_a_garment_has_an_empty_answer(
    predictor: FashionPredictor, studio: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = [Prediction(None, (64, 48), ())]  # type: ignore[arg-type]
    monkeypatch.setattr(predictor, "stream", lambda *_: nothing)
    asked = client(predictor, Pictures(studio.url, "secret"))
    answer = asked.post("/predict", json={"tasks": TASKS, "label_config": CONFIG}).json()
    assert answer["results"] == [{"result": [], "score": 0.0, "model_version": VERSION}]


def test_one_bad_picture_costs_no_other_its_answer(
    predictor: FashionPredictor, studio: Server
) -> None:
    asked = client(predictor, Pictures(studio.url, "secret"), category="dress")
    addresses = ["/a.png", "/missing.jpg", "/b.png"]
    tasks = [{"id": n, "data": {"image": address}} for n, address in enumerate(addresses)]
    answer = asked.post("/predict", json={"tasks": tasks, "label_config": CONFIG}).json()
    first, second, third = answer["results"]
    assert second == {"error": f"task 1: {studio.url}/missing.jpg: 404 Not Found"}
    assert first == third
    expect(first["result"], predictor.predict(PIXELS, "dress"))


class TestPictures:
    """Where pictures come from, and where they do not."""

    def message(self, predictor: FashionPredictor, pictures: Pictures, address: object) -> str:
        tasks = [{"id": 7, "data": {"image": address}}]
        asked = client(predictor, pictures)
        answer = asked.post("/predict", json={"tasks": tasks, "label_config": CONFIG})
        assert answer.status_code == 200
        (result,) = answer.json()["results"]
        assert result.keys() == {"error"}
        assert result["error"].startswith("task 7: ")
        text: str = result["error"].removeprefix("task 7: ")
        return text

    def test_local_files(self, predictor: FashionPredictor, tmp_path: Path) -> None:
        (tmp_path / "a b").mkdir()
        cv2.imwrite(str(tmp_path / "a b" / "c.png"), PIXELS)
        address = "/data/local-files/?d=a%20b/c.png"
        assert Pictures(folder=tmp_path).fetch(address) == tmp_path / "a b" / "c.png"
        asked = client(predictor, Pictures(folder=tmp_path), category="dress")
        tasks = [{"id": 7, "data": {"image": address}}]
        answer = asked.post("/predict", json={"tasks": tasks, "label_config": CONFIG})
        expect(answer.json()["results"][0]["result"], predictor.predict(PIXELS, "dress"))

    @pytest.mark.parametrize("path", ["../x.png", "a/../../x.png", "", "%2e%2e/x.png"])
    def test_no_file_beside_the_folder(
        self, predictor: FashionPredictor, tmp_path: Path, path: str
    ) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        cv2.imwrite(str(tmp_path / "x.png"), PIXELS)
        address = f"/data/local-files/?d={path}"
        message = self.message(predictor, Pictures(folder=folder), address)
        assert "not below" in message

    def test_a_broken_picture_is_named(self, predictor: FashionPredictor, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(b"no picture")
        message = self.message(predictor, Pictures(folder=tmp_path), "/data/local-files/?d=a.png")
        assert "not an image of a format that is read" in message

    def test_storages_of_a_cloud(self, studio: Server) -> None:
        pictures = Pictures(studio.url, "secret")
        assert pictures.fetch("s3://b/a.png", 12) == encode_image(PIXELS, ".png")
        path = "/tasks/12/resolve/?fileuri=czM6Ly9iL2EucG5n"
        assert studio.asked == [(path, "Token secret")]

    def test_the_token_is_not_sent_on(self, studio: Server) -> None:
        elsewhere = Server()
        studio.handler.moved = f"{elsewhere.url}/a.png"
        content = Pictures(studio.url, "secret").fetch("/moved")
        assert content == encode_image(PIXELS, ".png")
        assert studio.asked == [("/moved", "Token secret")]
        assert elsewhere.asked == [("/a.png", None)]
        elsewhere.server.shutdown()

    def test_personal_access_tokens(self, studio: Server) -> None:
        Pictures(studio.url, "aa.bb.cc").fetch(f"{studio.url}/a.png")
        assert studio.asked == [("/api/token/refresh/", None), ("/a.png", "Bearer short-lived")]

    def test_other_servers_are_asked_only_where_they_are_named(
        self, predictor: FashionPredictor, studio: Server
    ) -> None:
        address = f"{studio.url}/a.png"
        message = self.message(predictor, Pictures("http://studio.example", "secret"), address)
        assert (
            "pictures are not fetched from 127.0.0.1; name the server in FASHIONKP_IMAGE" in message
        )
        assert not studio.asked
        named = Pictures("http://studio.example", "secret", hosts=frozenset({"127.0.0.1"}))
        assert named.fetch(address) == encode_image(PIXELS, ".png")
        assert studio.asked == [("/a.png", None)]

    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("file:///etc/passwd", "expected an address of Label Studio or of the web"),
            ("a.png", "expected an address of Label Studio or of the web"),
            ("http://[", "no address of a picture"),
            ("/data/upload/x.png", "set LABEL_STUDIO_API_KEY"),
            ("", "its data has no picture under 'image'"),
            (5, "its data has no picture under 'image'"),
        ],
    )
    def test_addresses_that_are_none(
        self, predictor: FashionPredictor, address: object, expected: str
    ) -> None:
        assert expected in self.message(predictor, Pictures(), address)

    def test_what_is_missing_is_said(self, predictor: FashionPredictor, studio: Server) -> None:
        message = self.message(predictor, Pictures(studio.url, "secret"), "/data/x.jpg")
        assert message == f"{studio.url}/data/x.jpg: 404 Not Found"

    def test_nobody_there(self, predictor: FashionPredictor, free_port: int) -> None:
        url = f"http://127.0.0.1:{free_port}"
        assert "refused" in self.message(predictor, Pictures(url, "secret"), "/a.png")

    def test_the_environment(self, tmp_path: Path) -> None:
        found = Pictures.of_environment(
            {
                "LABEL_STUDIO_URL": "http://studio:8080",
                "LABEL_STUDIO_API_KEY": "key",
                "LOCAL_FILES_DOCUMENT_ROOT": str(tmp_path),
                "FASHIONKP_IMAGE_HOSTS": "a.example, B.example,",
            }
        )
        hosts = frozenset({"a.example", "b.example"})
        assert found == Pictures("http://studio:8080", "key", tmp_path, hosts)
        assert Pictures.of_environment({}) == Pictures()


def test_a_page_cannot_make_a_browser_ask(predictor: FashionPredictor) -> None:
    """A request that needs no consent of ours, as a form's, is no request for us."""
    asked = client(predictor, Pictures())
    body = '{"schema": "<View/>"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = asked.post("/setup", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 422
        assert "no Image" not in answer.text


@pytest.mark.parametrize(
    ("name", "value"), [("FASHIONKP_CATEGORY", "sock"), ("FASHIONKP_BOXES", "all")]
)
def test_variables_that_cannot_be(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is '{value}', expected one of"):
        backend_of({name: value})


def test_the_environment_makes_a_backend(model: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), PIXELS)
    backend = backend_of(
        {
            "FASHIONKP_MODEL": str(model),
            "FASHIONKP_CATEGORY": "trousers",
            "FASHIONKP_BOXES": "whole",
            "LOCAL_FILES_DOCUMENT_ROOT": str(tmp_path),
        }
    )
    tasks = [{"id": 1, "data": {"image": "/data/local-files/?d=a.png"}}]
    (answer,) = backend.predict(tasks, CONFIG)["results"]
    expect(answer["result"], FashionPredictor(model).predict(PIXELS, "trousers", "whole"))
