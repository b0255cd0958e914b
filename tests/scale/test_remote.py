"""Pictures that are none of this machine's files: a server of S3, one of HTTP, tar and Parquet."""

from __future__ import annotations

import http.server
import io
import shutil
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from fashionkp_mm.batch.sources import InputError, collect
from fashionkp_mm.core.uris import RemotePath, without_secrets
from fashionkp_mm.images import (
    BrokenImageError,
    decode_image,
    image_size,
    load_image,
    parquet_rows,
    remote,
)
from fashionkp_mm.images.parquet_rows import open_parquet, read_row
from fashionkp_mm.images.remote import MissingLibraryError, RemoteError, files_below, read_uri

SECRET = "wJalrXUtnFEMI-very-secret"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of a server of S3 on this machine, which s3fs finds by the environment."""
    server_module = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    botocore = pytest.importorskip("botocore.session")
    server = server_module.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", address)
        patch.setenv("FSSPEC_S3_ENDPOINT_URL", address)
        client = botocore.Session().create_client("s3", endpoint_url=address)
        client.create_bucket(Bucket="shop")
        yield client
    server.stop()


@pytest.fixture
def picture(drawn_root: Path) -> bytes:
    return next((drawn_root / "train").rglob("*.jpg")).read_bytes()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_FIRST_WAIT", 0.01)


class Flaky(http.server.BaseHTTPRequestHandler):
    """Fails the first so many times, by the path: ``/2/a.jpg`` twice."""

    met: ClassVar[Counter[str]] = Counter()
    sent = 0
    status = 503
    content = b""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()

    def do_GET(self) -> None:
        self.met[self.path] += 1
        if self.met[self.path] <= int(self.path.split("/")[1]):
            if "short" in self.path:
                self.send_response(200)
                self.send_header("Content-Length", str(len(self.content)))
                self.end_headers()
                self.wfile.write(self.content[:1000])
                return
            self.send_response(self.status)
            self.end_headers()
            return
        if "slow" in self.path:
            time.sleep(2)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        for begin in range(0, len(self.content), 2**16):
            self.wfile.write(self.content[begin : begin + 2**16])
            Flaky.sent += 2**16

    def handle(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked has given up
            super().handle()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def flaky(picture: bytes) -> Iterator[str]:
    pytest.importorskip("aiohttp")
    Flaky.content, Flaky.status = picture, 503
    Flaky.met.clear()
    Flaky.sent = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_bucket_is_a_folder(s3: Any, picture: bytes) -> None:
    for key in ("spring/a/1.jpg", "spring/2.png", "spring/list.txt", "spring/.3.jpg", "other.jpg"):
        s3.put_object(Bucket="shop", Key=key, Body=picture)
    found = collect(["s3://shop/spring"], ()).found
    assert {(each.image_id, str(each.path)) for each in found} == {
        ("a/1.jpg", "s3://shop/spring/a/1.jpg"),
        ("2.png", "s3://shop/spring/2.png"),
    }
    (one,) = collect(["s3://shop/other.jpg"], ()).found
    assert (one.image_id, one.path) == ("s3://shop/other.jpg", RemotePath("s3://shop/other.jpg"))
    assert load_image(one.path).shape == load_image(found[0].path).shape
    height, width = load_image(one.path).shape[:2]
    assert image_size(one.path) == (width, height)
    matching = collect(["s3://shop/spring/*.png"], ()).found
    assert [each.image_id for each in matching] == ["s3://shop/spring/2.png"]


def test_a_large_bucket_is_listed_page_by_page(s3: Any) -> None:
    for number in range(5000):
        s3.put_object(Bucket="shop", Key=f"many/{number:05}.jpg", Body=b"")
    keys = [f"s3://shop/many/{number:05}.jpg" for number in range(5000)]
    assert list(files_below("s3://shop/many/")) == keys
    pages: list[Any] = []

    class Counted:
        def call_s3(self, name: str, **given: Any) -> Any:
            pages.append(name)
            return getattr(s3, name)(**given)

    listing = remote._in_pages(Counted(), "shop/many")
    assert list(islice(listing, 3)) == keys[:3]
    assert len(pages) == 1
    assert list(listing) == keys[3:]
    assert len(pages) == 5


def test_what_is_missing_broken_or_empty_is_said(s3: Any, picture: bytes) -> None:
    s3.put_object(Bucket="shop", Key="bad/empty.jpg", Body=b"")
    s3.put_object(Bucket="shop", Key="bad/half.jpg", Body=picture[: len(picture) // 2])
    for name, message in {
        "gone.jpg": "s3://shop/bad/gone.jpg: the image is missing",
        "empty.jpg": "s3://shop/bad/empty.jpg: the file is empty",
        "half.jpg": "s3://shop/bad/half.jpg: the image is truncated, its end is missing",
    }.items():
        with pytest.raises(BrokenImageError) as caught:
            load_image(f"s3://shop/bad/{name}")
        assert str(caught.value).startswith(message)


def test_no_more_is_read_than_a_picture_may_have(s3: Any) -> None:
    s3.put_object(Bucket="shop", Key="huge.jpg", Body=bytes(2_000_000))
    with pytest.raises(BrokenImageError, match=r"at least 1 MB\); expected at most 1 MB"):
        load_image("s3://shop/huge.jpg", max_megapixels=0.01)
    assert len(read_uri("s3://shop/huge.jpg", 1000)) == 1001


def test_a_server_that_fails_is_asked_again(flaky: str, quick: None, picture: bytes) -> None:
    assert read_uri(f"{flaky}/3/a.jpg", 10**7) == picture
    assert Flaky.met["/3/a.jpg"] == 4
    with pytest.raises(RemoteError, match="could not be fetched in 4 tries"):
        read_uri(f"{flaky}/9/a.jpg", 10**7)
    assert Flaky.met["/9/a.jpg"] == 4


def test_a_size_costs_one_answer(flaky: str, quick: None, picture: bytes) -> None:
    height, width = decode_image(picture, "a").shape[:2]
    assert image_size(f"{flaky}/0/a.jpg") == (width, height)
    Flaky.content = b"no picture"
    for name, asked in (("0/b.jpg", 1), ("9/c.jpg", 4)):
        with pytest.raises(BrokenImageError):
            image_size(f"{flaky}/{name}")
        assert Flaky.met[f"/{name}"] == asked


def test_a_server_that_says_no_is_not(flaky: str, quick: None) -> None:
    Flaky.status = 404
    with pytest.raises(RemoteError, match="the image is missing"):
        read_uri(f"{flaky}/9/a.jpg", 10**7)
    Flaky.status = 401
    with pytest.raises(RemoteError, match=r"could not be fetched .*401"):
        read_uri(f"{flaky}/9/b.jpg", 10**7)
    assert Flaky.met == {"/9/a.jpg": 1, "/9/b.jpg": 1}


def test_a_server_of_anything_is_read_no_further_than_needed(flaky: str, quick: None) -> None:
    Flaky.content = bytes(200_000_000)
    assert len(read_uri(f"{flaky}/0/huge.jpg", 1_000_000)) == 1_000_001
    assert Flaky.sent < 50_000_000
    Flaky.content = b""
    assert read_uri(f"{flaky}/0/none.jpg", 1000) == b""


def test_a_server_that_breaks_off_is_asked_again(flaky: str, quick: None, picture: bytes) -> None:
    assert read_uri(f"{flaky}/2/short.jpg", 10**7) == picture
    assert Flaky.met["/2/short.jpg"] == 3


def test_a_server_without_parts_has_no_members(flaky: str, quick: None) -> None:
    with pytest.raises(BrokenImageError, match="the server gives no parts of files"):
        load_image(f"tar-member://512+9/a.jpg::{flaky}/0/a.tar")


def test_what_another_try_cannot_change_is_tried_once(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote.time, "sleep", lambda _: pytest.fail("it waits"))
    for uri in ("s3://Not_A_Bucket!/a.jpg", "https:///a.jpg", "file:///no/such.jpg", "memory://x"):
        with pytest.raises(BrokenImageError):
            load_image(uri)


def test_a_server_that_is_slow_is_given_up(
    flaky: str, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_TIMEOUT", 0.3)
    with pytest.raises(RemoteError, match="could not be fetched in 4 tries"):
        read_uri(f"{flaky}/0/slow.jpg", 10**7)


def test_a_server_that_is_gone(quick: None, free_port: int) -> None:
    pytest.importorskip("aiohttp")
    with pytest.raises(BrokenImageError, match="could not be fetched in 4 tries"):
        load_image(f"http://127.0.0.1:{free_port}/a.jpg")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("s3://bucket/a b.jpg", "s3://bucket/a b.jpg"),
        ("https://ann:pw@host:8/a.jpg", "https://host:8/a.jpg"),
        (
            "https://h/a.jpg?w=200&X-Amz-Credential=AKIA&X-Amz-Signature=abc",
            "https://h/a.jpg?w=200",
        ),
        ("https://acc.blob.core.windows.net/c/a.jpg?sv=1&sig=abc", None),
    ],
)
def test_secrets_are_not_shown(uri: str, shown: str | None) -> None:
    assert without_secrets(uri) == (shown or "https://acc.blob.core.windows.net/c/a.jpg?sv=1")
    assert str(RemotePath(uri)) == without_secrets(uri)
    assert not {"pw", "abc", "AKIA"} & set(repr(RemotePath(uri)).replace("=", " ").split())


def test_no_message_tells_a_secret(flaky: str, quick: None, s3: Any) -> None:
    uri = f"{flaky.replace('//', '//ann:hunter2@')}/9/a.jpg?w=1"
    uri += "&X-Amz-Signature=top%2Fse%20cret&a_token=top"
    with pytest.raises(BrokenImageError) as caught:
        load_image(uri)
    assert "hunter2" not in str(caught.value)
    assert "top" not in str(caught.value)
    assert "503" in str(caught.value)
    (source,) = collect([uri], ()).found
    assert source.image_id == f"{flaky}/9/a.jpg?w=1"
    s3.put_object(Bucket="shop", Key="held/a.jpg", Body=b"x")
    with pytest.raises(BrokenImageError) as caught:
        load_image("s3://no-such-bucket/a.jpg")
    assert SECRET not in str(caught.value)


def test_an_unknown_protocol_is_said_once() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(
        MissingLibraryError, match=r"gopher://.*pip install 'fashionkp_mm\[scale\]'"
    ):
        collect(["gopher://a/b.jpg"], ())


@pytest.fixture
def tar(tmp_path: Path, picture: bytes) -> Path:
    path = tmp_path / "shard-000.tar"
    with tarfile.open(path, "w") as file:
        for name, content in {
            "000.jpg": picture,
            "000.json": b"{}",
            "sub/001.jpg": picture[: len(picture) // 2],
            "sub/002.jpg": picture,
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def test_a_tar_file_is_a_folder(tar: Path, picture: bytes) -> None:
    pytest.importorskip("fsspec")
    found = collect([str(tar)], ()).found
    assert [each.image_id for each in found] == ["000.jpg", "sub/001.jpg", "sub/002.jpg"]
    whole = load_image(found[0].path)
    assert np.array_equal(load_image(found[2].path), whole)
    with pytest.raises(BrokenImageError, match="truncated"):
        load_image(found[1].path)


def test_members_of_a_tar_file_are_read_by_many_threads(tar: Path, picture: bytes) -> None:
    found = collect([str(tar)], ()).found
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(lambda _: load_image(found[2].path), range(200)))
    whole = load_image(found[0].path)
    assert all(np.array_equal(content, whole) for content in contents)


def test_a_tar_file_in_a_bucket(s3: Any, tar: Path, picture: bytes) -> None:
    s3.put_object(Bucket="shop", Key="shards/000.tar", Body=tar.read_bytes())
    found = collect(["s3://shop/shards/000.tar"], ()).found
    assert [each.image_id for each in found] == ["000.jpg", "sub/001.jpg", "sub/002.jpg"]
    assert np.array_equal(load_image(found[2].path), decode_image(picture, "a"))


def test_no_tar_file(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(OSError, match=r"a\.tar"):
        collect([str(tmp_path / "a.tar")], ())


def test_a_table_of_uris(catalogue: Callable[..., str]) -> None:
    file = catalogue(
        ["a/1.jpg", "s3://shop/2.jpg"], image_id=["one", None], category=["skirt", None]
    )
    found = collect([file], ()).found
    assert [(each.image_id, str(each.path), each.category) for each in found] == [
        ("one", "a/1.jpg", "skirt"),
        ("s3://shop/2.jpg", "s3://shop/2.jpg", None),
    ]


def test_a_table_of_pictures(catalogue: Callable[..., str], picture: bytes) -> None:
    names = [f"{number}.jpg" for number in range(700)]  # of three row groups
    contents = [picture] * 700
    contents[1], contents[500] = picture[: len(picture) // 2], None
    found = collect([catalogue(names, bytes=contents)], ()).found
    assert [each.image_id for each in found] == names
    assert np.array_equal(load_image(found[0].path), load_image(found[699].path))
    with pytest.raises(BrokenImageError, match="truncated"):
        load_image(found[1].path)
    with pytest.raises(BrokenImageError, match="row 500 is empty"):
        load_image(found[500].path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"category": ["sock"]}, "row 0: there is no category 'sock'; expected one of blouse"),
        ({"uri": [None]}, "row 0: names no picture"),
    ],
)
def test_a_table_that_is_wrong(
    columns: dict[str, list[Any]], message: str, catalogue: Callable[..., str]
) -> None:
    given = {"names": ["a.jpg"], **columns}
    if "uri" in given:
        given["names"] = given.pop("uri")
    with pytest.raises(InputError, match=message):
        collect([catalogue(**given)], ())


def test_a_table_without_pictures(tmp_path: Path, catalogue: Callable[..., str]) -> None:
    file = tmp_path / "other.parquet"
    pd.DataFrame({"sku": ["1"]}).to_parquet(file)
    with pytest.raises(InputError, match=r"no column 'uri' .*, only sku"):
        collect([str(file)], ())
    shutil.copy(__file__, file)
    with pytest.raises(InputError, match="not readable as Parquet"):
        collect([str(file)], ())


def test_a_table_of_one_large_row_group_is_read_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "large.parquet"
    noise = np.random.default_rng(0)
    contents = [noise.bytes(8_000) for _ in range(12_000)]
    pd.DataFrame({"bytes": contents}).to_parquet(file, compression="none")
    assert pq.read_metadata(file).num_row_groups == 1
    found = collect([str(file)], ()).found
    assert [each.image_id for each in found[:2]] == ["row 0", "row 1"]
    opened: list[Any] = []
    monkeypatch.setattr(
        parquet_rows, "open_parquet", lambda name: opened.append(name) or open_parquet(name)
    )
    pa = pytest.importorskip("pyarrow")
    before = pa.total_allocated_bytes()
    order = [index ^ 5 for index in range(12_000)]  # as threads ask, a little out of order
    with ThreadPoolExecutor(8) as pool:
        for begin in range(0, len(order), 64):
            asked = [*order[begin : begin + 64], *order[max(begin - 128, 0) : begin : 16]]
            addresses = [found[index].path.__fspath__() for index in asked]
            for index, content in zip(asked, pool.map(read_row, addresses), strict=True):
                assert content == contents[index]
            assert pa.total_allocated_bytes() - before < 40_000_000  # of 96 MB
    assert len(opened) == 2  # for the number of rows, and for the rows
    assert read_row(found[0].path.__fspath__()) == contents[0]  # and back again


def test_a_list_may_name_uris(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "a.csv").write_text(
        "image_id,image_category\nhttps://h/a.jpg?token=abc,skirt\nmemory://b.jpg,dress\n"
    )
    found = collect([str(tmp_path / "a.csv"), "-"], [b"memory://c.jpg\n"]).found
    assert [(each.image_id, each.category) for each in found] == [
        ("https://h/a.jpg", "skirt"),
        ("memory://b.jpg", "dress"),
        ("memory://c.jpg", None),
    ]


def test_no_server_is_asked_what_the_uris_of_a_list_are(
    tmp_path: Path, flaky: str, quick: None
) -> None:
    uris = [f"{flaky}/0/{number}" for number in range(50)] + [f"{flaky}/0/a[1].jpg"]
    (tmp_path / "list.txt").write_text("\n".join(uris))
    found = collect([str(tmp_path / "list.txt")], ()).found
    assert [each.image_id for each in found] == uris
    assert not Flaky.met
    Flaky.content = (tmp_path / "list.txt").read_bytes()
    assert [each.image_id for each in collect([f"{flaky}/0/list.txt"], ()).found] == uris
    assert set(Flaky.met) == {"/0/list.txt"}


def test_signed_files_of_pictures(
    flaky: str, quick: None, tar: Path, catalogue: Callable[..., str], picture: bytes
) -> None:
    """Nothing that is said of them tells the signature, whatever is wrong with them."""

    def message(name: str) -> str:
        with pytest.raises((InputError, OSError)) as caught:
            collect([f"{flaky}/{name}?sig=SEKRET%2Fx"], ())
        said = str(caught.value)
        assert "SEKRET" not in said
        return said.removeprefix(f"{flaky}/")

    Flaky.content = tar.read_bytes()
    found = collect([f"{flaky}/0/a.tar?sig=SEKRET%2Fx"], ()).found
    assert [each.image_id for each in found] == ["000.jpg", "sub/001.jpg", "sub/002.jpg"]
    assert "SEKRET" not in str(found[0].path)
    Flaky.content = Path(catalogue(["a.jpg"], bytes=[picture])).read_bytes()
    (one,) = collect([f"{flaky}/0/a.parquet?sig=SEKRET%2Fx"], ()).found
    load_image(one.path)
    assert message("0/b.tar").startswith("0/b.tar: not readable as a tar file")
    Flaky.content = picture
    assert message("0/b.parquet").startswith("0/b.parquet: not readable as Parquet")
    Flaky.status = 403
    for kind in ("tar", "parquet", "txt"):
        assert "403" in message(f"99/c.{kind}")


def test_a_csv_file_is_fetched_by_no_one() -> None:
    with pytest.raises(InputError, match=r"s3://shop/a.csv: a CSV file is read from this machine"):
        collect(["s3://shop/a.csv"], ())


def test_a_key_with_brackets_is_no_pattern_where_it_exists(s3: Any, picture: bytes) -> None:
    s3.put_object(Bucket="shop", Key="odd/a[1].jpg", Body=picture)
    (one,) = collect(["s3://shop/odd/a[1].jpg"], ()).found
    assert str(one.path) == "s3://shop/odd/a[1].jpg"
    load_image(one.path)


def test_files_by_uri(tmp_path: Path, drawn_root: Path, picture: bytes) -> None:
    fsspec = pytest.importorskip("fsspec")
    shutil.copytree(drawn_root / "train", tmp_path / "train")
    folder = collect([str(tmp_path / "train")], ()).found
    assert {each.image_id for each in collect([f"file://{tmp_path}/train"], ()).found} == {
        each.image_id for each in folder
    }
    fsspec.filesystem("memory").pipe("/one-shop/a.jpg", picture)
    (one,) = collect(["memory://one-shop"], ()).found
    assert np.array_equal(load_image(one.path), decode_image(picture, "a"))
