"""What a failed import means, and the command that helps, where the cause is a known one."""

from __future__ import annotations

from typing import NamedTuple


class Cause(NamedTuple):
    """A known reason why an installed package does not import."""

    sign: str
    """Stands in the error's text."""
    meaning: str
    command: str


CAUSES = (
    Cause("pkg_resources", "setuptools 82 dropped pkg_resources", "pip install 'setuptools<82'"),
    Cause(
        "numpy.dtype size changed",
        "a package was built for NumPy 1; xtcocotools is the usual one, and not needed",
        "pip uninstall -y xtcocotools",
    ),
    # Slim containers have neither; which of the two is missed first depends on the container.
    *(
        Cause(
            library,
            "opencv-python needs a desktop's libraries",
            "pip install --force-reinstall --no-deps opencv-python-headless",
        )
        for library in ("libGL.so.1", "libgthread-2.0.so.0", "libxcb.so.1")
    ),
)


def cause_of(error: BaseException) -> Cause | None:
    """The cause whose sign is in the error's text."""
    return next((cause for cause in CAUSES if cause.sign in str(error)), None)


def explained(error: ImportError) -> str:
    """An import error in one sentence, with what to do."""
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if cause := cause_of(error):
        return f"{said}: {cause.meaning}. This helps: {cause.command}"
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed; `fashionkp doctor` names the command that helps"
    return f"{said}; `fashionkp doctor` says what does not import, and what helps"
