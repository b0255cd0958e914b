"""``fashionkp studio``: the page in the browser to look at garments and correct them."""

from __future__ import annotations

import getpass
import threading
import webbrowser
from importlib.util import find_spec
from pathlib import Path

from fashionkp_mm.batch.options import NoRuntimeError, Options
from fashionkp_mm.batch.sources import InputError
from fashionkp_mm.commands import terminal
from fashionkp_mm.core.files import require_apart
from fashionkp_mm.core.words import error_message, listed, plural
from fashionkp_mm.exchange.formats import FormatError
from fashionkp_mm.runtime import FashionPredictor, NoModelError
from fashionkp_mm.runtime.metadata import ModelFileError

_MISSING = "the studio needs packages that are not installed: pip install 'fashionkp_mm[studio]'"


def run(
    source: Path,
    *,
    images: Path | None,
    predictions: Path | None,
    model: Path | None,
    store: Path | None,
    host: str,
    port: int | None,
    browser: bool,
    write_back: bool,
    max_megapixels: float,
) -> int:
    """Serve the page until it is stopped.

    Args:
        source: Folder of pictures, or file of labels or predictions.
        images: Folder that the file's image ids start from; found around it by default.
        predictions: What another source says of the same pictures, to compare with.
        model: Model that labels and predicts again; by default the one that comes with the package.
        store: Where labels are kept; by default beside the source.
        host: Address to listen on.
        port: Port to listen on; by default one that is free.
        browser: Whether to open the page.
        write_back: Whether to write the source in the end.
        max_megapixels: Size from which a picture is refused.

    Returns:
        Exit status: 1 if the source could not be written back.
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        terminal.say("error", _MISSING)
        return 1
    from fashionkp_mm.studio.album import open_album, read_others  # noqa: PLC0415
    from fashionkp_mm.studio.app import create_app  # noqa: PLC0415
    from fashionkp_mm.studio.export import ExportError  # noqa: PLC0415
    from fashionkp_mm.studio.guard import is_loopback, new_token  # noqa: PLC0415
    from fashionkp_mm.studio.server import PortError, serve  # noqa: PLC0415
    from fashionkp_mm.studio.session import Session  # noqa: PLC0415
    from fashionkp_mm.studio.store import Store  # noqa: PLC0415

    with terminal.one_message(FormatError, InputError, ModelFileError, PortError, ExportError):
        with terminal.warnings_said():
            album = open_album(source, images)
            others = None if predictions is None else read_others(predictions, list(album.labels))
        for note in album.notes:
            terminal.say("note", note)
        if album.missing:
            first = next(iter(album.missing.items()))
            terminal.say(
                "warning",
                f"{plural(len(album.missing), 'picture')} cannot be shown, such as"
                f" {first[0]}: {first[1]}",
            )
        path = store or album.store_path
        require_apart([path], [source, *album.paths.values()])
        predictor = _predictor(model, max_megapixels)
        with Store(path) as labels:
            session = Session(
                album, labels, predictor, others=others, max_megapixels=max_megapixels
            )
            if write_back and not session.can_write_back:
                raise InputError(
                    f"{source}: --write-back writes a .csv or .json file of labels, and this is"
                    " none; the page exports to any format"
                )
            if session.kept:
                names = listed([version.image_id for version in session.kept])
                terminal.say(
                    "warning",
                    f"{source} has other labels than before for"
                    f" {plural(len(session.kept), 'picture')} that were changed here; what was"
                    f" changed here stands: {names}",
                )
            terminal.say("note", f"labels are kept in {path}")
            token = None if is_loopback(host) else new_token()
            app = create_app(session, author=_user(), token=token, names=(host,))

            def started(address: str) -> None:
                url = address if token is None else f"{address}?token={token}"
                terminal.out().print(
                    f"{plural(session.total, 'picture')} at {url}  (Ctrl-C ends)",
                    markup=False,
                    soft_wrap=True,
                )
                if browser:
                    threading.Thread(target=_open, args=(url,), daemon=True).start()

            serve(app, host, port, started)
            if write_back:
                try:
                    lines = session.write_back()
                except OSError as error:
                    terminal.say(
                        "error",
                        f"{error_message(error)}; nothing is lost, {path} has all that was changed."
                        " Once the file can be written, start again with --write-back",
                    )
                    return 1
                for line in lines:
                    terminal.out().print(line, markup=False, soft_wrap=True)
    return 0


def _predictor(model: Path | None, max_megapixels: float) -> FashionPredictor | None:
    """The model, or a note that there is none to ask."""
    options = Options(model, None, "refine", flip_test=False, max_megapixels=max_megapixels)
    try:
        return options.predictor()
    except (NoRuntimeError, NoModelError) as error:
        if model is not None:
            raise
        terminal.say("note", f"nothing is predicted here: {error}")
        return None


def _open(url: str) -> None:
    if not webbrowser.open(url):
        terminal.say("note", "no browser was found here; open the address in one")


def _user() -> str:
    try:
        return getpass.getuser()[:80]
    except (KeyError, OSError):  # an account without a name
        return "somebody"
