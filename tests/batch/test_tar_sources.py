"""Pictures in tar files of this machine, which the standard library reads."""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from fashionkp_mm.batch.pictures import targets
from fashionkp_mm.batch.sources import InputError, collect
from fashionkp_mm.core.uris import RemotePath, is_remote, local_file, without_secrets
from fashionkp_mm.images import BrokenImageError, decode_image, load_image
from fashionkp_mm.images.remote import RemoteError

Write = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture(autouse=True)
def _no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)


@pytest.fixture
def picture(drawn_root: Path) -> bytes:
    return next((drawn_root / "train").rglob("*.jpg")).read_bytes()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(members: Mapping[str, bytes]) -> Path:
        path = tmp_path / "shard-000.tar"
        with tarfile.open(path, "w") as file:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
        return path

    return write


def test_samples_tell_their_category(write: Write, picture: bytes) -> None:
    tar = write(
        {
            "a/000.json": b'{"category": "skirt", "sku": 7}',
            "a/000.jpg": picture,
            "001.left.jpg": picture,
            "001.right.JPG": picture,
            "001.cls": b"dress\n",
            "002.jpg": picture,
            "002.cls": b"3",
            "003.jpg": picture,
            "003.json": b'{"category": "sock"',
            "./004.png": picture,
            "._005.jpg": b"what a Mac leaves behind",
            "005.txt": b"a caption",
        }
    )
    found = collect([str(tar)], ()).found
    assert [(each.image_id, each.category) for each in found] == [
        ("a/000.jpg", "skirt"),
        ("001.left.jpg", "dress"),
        ("001.right.JPG", "dress"),
        ("002.jpg", None),
        ("003.jpg", None),
        ("004.png", None),
    ]
    whole = decode_image(picture, "whole")
    assert all(np.array_equal(load_image(each.path), whole) for each in found)


def test_broken_members_are_broken_pictures(write: Write, picture: bytes) -> None:
    tar = write({"half.jpg": picture[:2000], "none.jpg": b"", "text.jpg": b"hello" * 9})
    half, none, text = collect([str(tar)], ()).found
    for source, why in ((half, "truncated"), (none, "the file is empty"), (text, "not an image")):
        with pytest.raises(BrokenImageError, match=rf"{source.image_id}::.*shard-000.tar: .*{why}"):
            load_image(source.path)


def test_a_member_that_is_too_large_is_not_read(write: Write) -> None:
    (source,) = collect([str(write({"huge.jpg": bytes(3_000_000)}))], ()).found
    with pytest.raises(BrokenImageError, match=r"at least 1 MB\); expected at most 1 MB"):
        load_image(source.path, max_megapixels=0.01)


@pytest.mark.parametrize("lost", [600, 11_000])
def test_of_a_truncated_file_the_beginning_is_used(lost: int, write: Write, picture: bytes) -> None:
    tar = write({"0.jpg": picture, "1.jpg": picture, "2.jpg": picture})
    content = tar.read_bytes()
    end = content.index(b"2.jpg") + 512 + len(picture)
    tar.write_bytes(content[: end - lost])
    sources = collect([str(tar)], ())
    assert [each.image_id for each in sources.found] == ["0.jpg", "1.jpg", "2.jpg"]
    assert len(sources.failures) == 1
    assert sources.failures[0].startswith(f"{tar}: damaged or truncated behind 2")
    load_image(sources.found[1].path)
    with pytest.raises(BrokenImageError, match="truncated"):
        load_image(sources.found[2].path)


@pytest.mark.parametrize("damage", ["no end", "noise"])
def test_a_file_that_breaks_off_between_members_is_told(
    damage: str, write: Write, picture: bytes
) -> None:
    tar = write({"0.jpg": picture, "1.jpg": picture})
    content = tar.read_bytes()
    begin = content.index(b"1.jpg")
    tar.write_bytes(content[:begin] + (b"\xff" * 4096 if damage == "noise" else b""))
    sources = collect([str(tar)], ())
    assert [each.image_id for each in sources.found] == ["0.jpg"]
    assert sources.failures == [f"{tar}: damaged or truncated behind 0; write it anew"]


def test_what_is_no_tar_file_or_holds_no_picture(write: Write, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"no tar at all" * 100)
    (tmp_path / "b.tar").write_bytes(b"")
    for name in ("a.tar", "b.tar"):
        with pytest.raises(RemoteError, match=rf"{name}: not readable as a tar file"):
            collect([str(tmp_path / name)], ())
    with pytest.raises(InputError, match=r"shard-000.tar: no image in it; expected files that end"):
        collect([str(write({"a.txt": b"hello"}))], ())


@pytest.mark.parametrize("name", ["a.tar.gz", "b.TGZ"])
def test_compressed_ones_are_refused(name: str, write: Write, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(gzip.compress(write({"a.jpg": b""}).read_bytes()))
    with pytest.raises(InputError, match=rf"{name}: a compressed tar file is not read.*gunzip"):
        collect([str(tmp_path / name)], ())


def test_names_that_lead_elsewhere_stay_below_the_folder(write: Write, picture: bytes) -> None:
    tar = write({"../../etc/a.jpg": picture, "/b::c.jpg": picture, "d%3Ae?sig=1.jpg": picture})
    found = collect([str(tar)], ()).found
    for source in found:
        load_image(source.path)
    out = Path("/out")
    for path in targets([each.image_id for each in found], out).values():
        assert path.is_relative_to(out)
        assert ".." not in path.parts


def test_names_of_uris_stay_below_the_folder() -> None:
    ids = ["s3://shop/../a.jpg", "https://h/b.jpg?w=1", "file:///etc/c.png", "s3://shop//d.jpg"]
    paths = targets(ids, Path("/out"))
    assert [str(path) for path in paths.values()] == [
        "/out/s3:/shop/_/a.jpg",
        "/out/https:/h/b.jpg?w=1.jpg",
        "/out/file:/etc/c.png",
        "/out/s3:/shop/d.jpg",
    ]


def test_where_a_member_lies() -> None:
    here = "tar-member://512+9/a.jpg::/data/b.tar"
    there = "tar-member://512+9/a.jpg::https://ann:pw@h/b.tar?sig=xyz"
    assert (is_remote(here), local_file(here)) == (False, Path("/data/b.tar"))
    assert (is_remote(there), local_file(there)) == (True, None)
    assert without_secrets(there) == "tar-member://512+9/a.jpg::https://h/b.tar"
    assert RemotePath(there).suffix == ".jpg"


def test_a_text_file_names_pictures(tmp_path: Path, drawn_root: Path, write: Write) -> None:
    pictures = sorted((drawn_root / "train").rglob("*.jpg"))[:3]
    names = tmp_path / "list.txt"
    names.write_text(f"{pictures[2]}\r\n\n{pictures[0]}\n{tmp_path / 'gone.jpg'}")
    found = collect([str(names)], ()).found
    assert [each.path for each in found] == [pictures[2], pictures[0], tmp_path / "gone.jpg"]
    names.write_bytes(pictures[0].read_bytes())  # a picture under another name
    assert [each.path for each in collect([str(names)], ()).found] == [names]


def test_without_the_extra_it_is_said_what_to_install(tmp_path: Path) -> None:
    from fashionkp_mm.images import remote  # noqa: PLC0415

    remote._require.cache_clear()
    remote._shared.cache_clear()
    for protocol in ("s3", "https"):
        with pytest.raises(
            ImportError, match=rf"{protocol}://.*pip install 'fashionkp_mm\[scale\]'"
        ):
            collect(["-"], [f"{protocol}://shop/a.jpg\n".encode()])
    with pytest.raises(BrokenImageError, match=r"pip install 'fashionkp_mm\[scale\]'"):
        load_image("s3://shop/a.jpg")


def test_a_new_tar_file_is_done_anew(write: Write, picture: bytes, tmp_path: Path) -> None:
    from fashionkp_mm.batch.run import _key  # noqa: PLC0415

    tar = write({"0.jpg": picture})
    (source,) = collect([str(tar)], ()).found
    before = _key(source)
    assert before[1] == tar.stat().st_size
    write({"0.jpg": picture, "1.jpg": picture})
    assert _key(source) != before
