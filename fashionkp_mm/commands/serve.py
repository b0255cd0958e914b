"""``fashionkp serve``: the predictor as an HTTP service."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fashionkp_mm.applications import errors_of_model
from fashionkp_mm.batch.options import NoRuntimeError, Options
from fashionkp_mm.commands import terminal
from fashionkp_mm.runtime import DeviceError, NoModelError
from fashionkp_mm.runtime.metadata import ModelFileError

_MISSING = "serving needs packages that are not installed: pip install 'fashionkp_mm[studio]'"
_NEEDED = ("fastapi", "uvicorn", "multipart", "prometheus_client")


def run(
    options: Options,
    *,
    host: str,
    port: int,
    token: str | None,
    workers: int,
    queue: int,
    timeout: float,
) -> int:
    """Answer requests until the process is told to stop.

    Args:
        options: How to predict.
        host: Address to listen on.
        port: Port to listen on.
        token: What every request has to bear; by default a new one where others reach the server.
        workers: Batches that are under way at once.
        queue: Pictures that may wait.
        timeout: Seconds after which a request is given up.

    Returns:
        Exit status.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        terminal.say("error", _MISSING)
        return 1
    from fashionkp_mm.studio.guard import is_loopback, new_token  # noqa: PLC0415
    from fashionkp_mm.studio.server import PortError, serve  # noqa: PLC0415
    from fashionkp_mm.studio.service import Limits, Service, create_service  # noqa: PLC0415

    with terminal.one_message(DeviceError, ModelFileError, NoModelError, NoRuntimeError, PortError):
        limits = Limits(timeout, options.max_megapixels, most_waiting=queue, workers=workers)
        model: Path = options.model_files()[0]
        service = Service(options.predictor(), options.boxes, limits, errors_of_model(model))
        if not token and not is_loopback(host):
            token = new_token()
            terminal.say("note", f"requests need the header 'Authorization: Bearer {token}'")
        app = create_service(service, token=token or None, names=(host,))

        def started(address: str) -> None:
            terminal.out().print(f"serving at {address}", markup=False, soft_wrap=True)

        serve(app, host, port, started)
    return 0
