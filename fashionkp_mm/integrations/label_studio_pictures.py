"""The pictures of Label Studio's tasks, from where they lie: uploads, local files, its storages."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

_LOCAL_FILES = "/data/local-files/"
_CLOUD = {"s3", "gs", "azure-blob"}
_TIMEOUT = 60
_LARGEST = 256 * 2**20
"""Bytes of the largest file that is fetched."""


class PictureError(ValueError):
    """A picture that cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Pictures:
    """Where pictures may be fetched from: this Label Studio, a folder, and named servers.

    Attributes:
        url: Address of Label Studio.
        api_key: A user's access token, which is sent to that address alone.
        folder: Label Studio's ``LOCAL_FILES_DOCUMENT_ROOT``, where this machine has it, too.
        hosts: Names of other servers that pictures may be fetched from.
    """

    url: str = "http://localhost:8080"
    api_key: str = ""
    folder: Path | None = None
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Pictures:
        """As environment variables say, by the names that Label Studio's own backends use."""
        folder = environment.get("LOCAL_FILES_DOCUMENT_ROOT")
        hosts = environment.get("FASHIONKP_IMAGE_HOSTS", "")
        return cls(
            url=environment.get("LABEL_STUDIO_URL", cls.url),
            api_key=environment.get("LABEL_STUDIO_API_KEY", ""),
            folder=Path(folder) if folder else None,
            hosts=frozenset(host.strip().lower() for host in hosts.split(",") if host.strip()),
        )

    def fetch(self, address: str, task_id: object = None) -> Path | bytes:
        """A picture's file where it lies on this machine, else its content.

        Args:
            address: As it stands in a task.
            task_id: The task, by which Label Studio finds what lies in a cloud's storage.

        Raises:
            PictureError: It is not to be had, or is nowhere that pictures may be fetched from.
        """
        try:
            parts = urlsplit(address)
        except ValueError as error:
            raise PictureError(f"{address}: no address of a picture ({error})") from None
        if parts.path == _LOCAL_FILES and not parts.netloc and self.folder is not None:
            return self._local(parse_qs(parts.query).get("d", [""])[-1], self.folder)
        if parts.scheme in _CLOUD:
            name = base64.urlsafe_b64encode(address.encode()).decode()
            return self._from_label_studio(f"/tasks/{task_id}/resolve/?fileuri={quote(name)}")
        if not parts.scheme and address.startswith("/"):
            return self._from_label_studio(address)
        if parts.scheme not in ("http", "https"):
            raise PictureError(f"{address}: expected an address of Label Studio or of the web")
        if (parts.scheme, parts.netloc) == urlsplit(self.url)[:2]:
            return self._from_label_studio(address[len(f"{parts.scheme}://{parts.netloc}") :])
        if (parts.hostname or "").lower() not in self.hosts:
            raise PictureError(
                f"{address}: pictures are not fetched from {parts.hostname}; name the server in"
                " FASHIONKP_IMAGE_HOSTS, or set LABEL_STUDIO_URL if it is Label Studio"
            )
        return _content(urllib.request.Request(address))

    def _local(self, path: str, folder: Path) -> Path:
        found = (folder / path.lstrip("/")).resolve()
        if not path or not found.is_relative_to(folder.resolve()):
            raise PictureError(f"{path}: not below {folder}, which LOCAL_FILES_DOCUMENT_ROOT names")
        return found

    def _from_label_studio(self, path: str) -> bytes:
        if not self.api_key:
            raise PictureError(
                f"{path}: set LABEL_STUDIO_API_KEY to an access token of a user of {self.url}, for"
                " Label Studio gives pictures to its users only"
            )
        request = urllib.request.Request(self.url.rstrip("/") + path)
        # Not sent on to where Label Studio may refer us, such as a cloud's storage.
        request.add_unredirected_header("Authorization", self._authorization())
        return _content(request)

    def _authorization(self) -> str:
        if self.api_key.count(".") != 2:
            return f"Token {self.api_key}"
        # A personal access token is one to get others with, which are short-lived.
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}/api/token/refresh/",
            data=json.dumps({"refresh": self.api_key}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            answer: Any = json.loads(_content(request))
            return f"Bearer {answer['access']}"
        except (ValueError, TypeError, KeyError) as error:
            raise PictureError(
                f"{self.url}: LABEL_STUDIO_API_KEY is refused ({error}); make a new one"
            ) from None


def _content(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read(_LARGEST + 1)
    except urllib.error.HTTPError as error:
        raise PictureError(f"{request.full_url}: {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise PictureError(f"{request.full_url}: {error}") from None
    if len(content) > _LARGEST:
        raise PictureError(f"{request.full_url}: larger than {_LARGEST / 2**20:.0f} MB")
    return content
