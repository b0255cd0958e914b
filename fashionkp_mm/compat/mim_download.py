"""Lets ``mim download`` deliver weights that are installed with this package, without a network.

What it patches: openmim 0.3.9 takes whatever ``Weights`` in a ``model-index.yml`` names for a URL,
and ``requests`` knows no files. Here a name without a scheme is a path below the ``.mim`` folder,
as the ``Config`` of the same entry is. It can go when mim searches there itself.
"""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import Any

from fashionkp_mm.core.files import write_atomically

_PACKAGE = "fashionkp_mm"


def patch(utils: Any) -> None:
    """Make ``mim.utils`` copy what is no URL; mim's commands take the function from there."""
    stock = utils.download_from_file

    @wraps(stock)
    def download_from_file(url: str, dest_path: str, *args: Any, **kwargs: Any) -> None:
        if "://" in url:
            stock(url, dest_path, *args, **kwargs)
            return
        source = Path(utils.get_installed_path(_PACKAGE), ".mim", url)
        if not source.is_file():
            raise FileNotFoundError(
                f"{source}: the weights are not installed; install {_PACKAGE} anew (`make setup`),"
                " or train them (tools/train.py)"
            )
        write_atomically(Path(dest_path), source.read_bytes())

    utils.download_from_file = download_from_file
