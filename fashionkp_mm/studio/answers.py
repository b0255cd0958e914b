"""How the applications of this room answer what they cannot do."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from fashionkp_mm.core.words import error_message


def explaining(status: int) -> Callable[[Request, Exception], Response]:
    """A handler that answers an error's message with this status."""

    def answer(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": error_message(error)}, status)

    return answer


def no_such_request(request: Request, error: Exception) -> Response:
    """What is asked for by a path or a method that there is none of."""
    assert isinstance(error, HTTPException)
    asked = f"{request.method} {request.url.path}"
    return JSONResponse(
        {"error": f"{asked}: {error.detail}"}, error.status_code, dict(error.headers or {})
    )
