"""Names of categories and keypoints in a file, and what they are called here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fashionkp_mm.core.garments import CATEGORY_INDEX, KEYPOINT_INDEX
from fashionkp_mm.core.table import AnnotationError, Problem
from fashionkp_mm.exchange.table import wrong

LEFT_OUT = -1
"""Index of a name that the map says to leave out."""


@dataclass
class Names:
    """Finds the index of a name, and collects those that it does not know.

    Args:
        given: Our name by the file's; None for one that is to be left out.
    """

    given: Mapping[str, str | None] = field(default_factory=dict)
    _unknown: dict[str, dict[str, None]] = field(
        default_factory=lambda: {"category": {}, "keypoint": {}}
    )

    def category(self, name: str) -> int:
        """Position in ``garments.CATEGORY_NAMES``; -1 for one that is unknown or left out."""
        return self._find(name, CATEGORY_INDEX, "category")

    def keypoint(self, name: str) -> int:
        """Position in ``garments.KEYPOINT_NAMES``; -1 for one that is unknown or left out."""
        return self._find(name, KEYPOINT_INDEX, "keypoint")

    def require_known(self, file: str) -> None:
        """Refuse a file in which names were met that nobody knows.

        Raises:
            AnnotationError: A problem a kind of name; each lists them all.
        """
        expected = {"category": CATEGORY_INDEX, "keypoint": KEYPOINT_INDEX}
        problems = [
            Problem(
                file,
                0,
                kind,
                "",
                f"unknown: {', '.join(names)}; expected {', '.join(expected[kind])}; a file for"
                " --map says what each is called here",
            )
            for kind, names in self._unknown.items()
            if names
        ]
        if problems:
            raise AnnotationError(problems)

    def _find(self, name: Any, known: Mapping[str, int], kind: str) -> int:
        ours = self.given.get(name, name)
        if ours is None:
            return LEFT_OUT
        index = known.get(ours)
        if index is None:
            self._unknown[kind][str(name)] = None
            return LEFT_OUT
        return index


def read_names(path: Path) -> dict[str, str | None]:
    """Read a file for ``--map``: YAML lines ``their name: our name``, ``null`` to leave one out.

    Raises:
        AnnotationError: It is no such file, or names something that does not exist here.
        OSError: The file cannot be read.
    """
    import yaml  # noqa: PLC0415  The runtime imports this module and does without.

    try:
        content = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise wrong(str(path), "", "", f"not readable as YAML ({error})") from None
    if not isinstance(content, dict) or not content:
        raise wrong(str(path), "", "", "expected lines such as 'left_collar: neckline_left'")
    unknown = [
        f"{name}: {ours}"
        for name, ours in content.items()
        if ours is not None and str(ours) not in {*KEYPOINT_INDEX, *CATEGORY_INDEX}
    ]
    if unknown:
        message = (
            "nothing is called that here; expected a category"
            f" ({', '.join(CATEGORY_INDEX)}), a keypoint ({', '.join(KEYPOINT_INDEX)}), or null"
            " to leave it out"
        )
        raise wrong(str(path), "", ", ".join(unknown), message)
    return {str(name): ours for name, ours in content.items()}
