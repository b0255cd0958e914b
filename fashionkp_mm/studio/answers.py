"""How the applications of this room answer what they cannot do."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request, Response
from fastapi.responses import JSONResponse


def explaining(status: int) -> Callable[[Request, Exception], Response]:
    """A handler that answers an error's message with this status."""

    def answer(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, status)

    return answer
