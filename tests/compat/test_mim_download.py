"""``mim download`` copies what is installed, and leaves URLs to mim."""

from types import SimpleNamespace

import pytest

from fashionkp_mm.compat.mim_download import patch


@pytest.fixture
def download(tmp_path):
    """What `patch` sees of ``mim.utils``; what mim would fetch is in ``fetched``."""
    fetched = []
    module = SimpleNamespace(
        get_installed_path=lambda package: tmp_path / package,
        download_from_file=lambda *args, **kwargs: fetched.append((args, kwargs)),
        fetched=fetched,
    )
    patch(module)
    return module


def test_weights_that_are_installed_are_copied(download, tmp_path):
    source = tmp_path / "fashionkp_mm" / ".mim" / "weights" / "small.pth"
    source.parent.mkdir(parents=True)
    source.write_bytes(b"weights")

    download.download_from_file("weights/small.pth", str(tmp_path / "there.pth"))

    assert (tmp_path / "there.pth").read_bytes() == b"weights"
    assert not download.fetched


def test_a_url_is_left_to_mim(download):
    download.download_from_file("https://x.org/a.pth", "a.pth", check_certificate=False)

    assert download.fetched == [(("https://x.org/a.pth", "a.pth"), {"check_certificate": False})]


def test_weights_that_are_not_installed_say_what_to_do(download, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"small\.pth: the weights are not installed"):
        download.download_from_file("weights/small.pth", str(tmp_path / "there.pth"))

    assert not (tmp_path / "there.pth").exists()
