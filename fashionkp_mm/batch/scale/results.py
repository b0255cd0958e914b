"""The folder that a run over many machines writes: parts, and a manifest of what made them.

A part's file is named by its number and appears whole, so what is there is done: a part that two
workers predicted, since one of them was taken for lost, is there once all the same, and a run that
was killed goes on with the parts that are missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fashionkp_mm.batch.journal import made_by_difference
from fashionkp_mm.batch.scale.plan import Part, Plan, plan_of
from fashionkp_mm.batch.scale.storage import Folder, ScaleError

MANIFEST = "_manifest.json"
INPUT = "_input.parquet"
"""Names with an underscore in front are none of the table's files, to Spark, DuckDB's glob of parts
and pyarrow alike."""
_FORMAT = "fashionkp predictions, format 1"


@dataclass(frozen=True)
class Results:
    """A folder of results, as a run finds it or begins it.

    Attributes:
        folder: Where.
        plan: All parts.
        made_by: What the results depend on, in words by name.
        not_found: Messages of pictures that were named and are not part of the input.
        done: Numbers of the parts that are there.
    """

    folder: Folder
    plan: Plan
    made_by: Mapping[str, str]
    not_found: Sequence[str]
    done: frozenset[int]

    @property
    def missing(self) -> list[Part]:
        """The parts that are still to do."""
        return [part for part in self.plan.parts if part.number not in self.done]

    @property
    def pictures_done(self) -> int:
        """Pictures of the parts that are there."""
        return sum(part.count for part in self.plan.parts if part.number in self.done)

    def finish(self) -> None:
        """Say in the manifest that all is done."""
        self.folder.write(MANIFEST, _manifest(self, finished=True))


def begin(
    folder: Folder, made_by: Mapping[str, str], find: Callable[[], tuple[list[str], list[str]]]
) -> Results:
    """Begin in a new or empty folder.

    Args:
        folder: Where.
        made_by: What the results depend on.
        find: Called for the Parquet files of the input, and for messages of what was not found.

    Raises:
        ScaleError: The folder holds something.
        OSError: It cannot be written to.
    """
    if folder.names("") - {INPUT}:  # which a run that was killed at once leaves behind
        begun = MANIFEST in folder.names("")
        kind = "results of a run; --resume goes on with them" if begun else "files"
        raise ScaleError(f"{folder}: holds {kind}; name a new or an empty folder")
    files, not_found = find()
    results = Results(folder, plan_of(files), dict(made_by), not_found, frozenset())
    folder.write(MANIFEST, _manifest(results, finished=False))
    return results


def resume(
    folder: Folder, made_by: Mapping[str, str], files: Callable[[], list[str]]
) -> Results | None:
    """Go on with what an interrupted run has left; a finished one has nothing missing.

    Args:
        folder: Where.
        made_by: What the results depend on.
        files: Called for the Parquet files of the input. The manifest names them, too, but less
            the secrets of URIs.

    Returns:
        None where no run has begun.

    Raises:
        ScaleError: It was made by something else, or from files that have changed.
        OSError: The folder cannot be read.
    """
    content = folder.read(MANIFEST)
    if content is None:
        return None
    try:
        manifest = json.loads(content)
        ours = manifest["format"] == _FORMAT
        earlier, described = dict(manifest["made_by"]), manifest["plan"]
        not_found = [str(message) for message in manifest["not_found"]]
    except (ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise ScaleError(f"{folder.path(MANIFEST)}: not the manifest of such a run, or damaged")
    difference = made_by_difference(earlier, made_by)
    if difference:
        raise ScaleError(
            f"{folder}: the interrupted run used {difference}. Repeat its options, or name another"
            " folder"
        )
    plan = plan_of(files())
    if plan.to_dict() != described:
        raise ScaleError(
            f"{folder}: the files of pictures have changed since the run began; name another folder"
        )
    names = folder.names(".parquet")
    done = frozenset(part.number for part in plan.parts if part.name in names)
    return Results(folder, plan, earlier, not_found, done)


def _manifest(results: Results, *, finished: bool) -> bytes:
    content = {
        "format": _FORMAT,
        "made_by": dict(results.made_by),
        "pictures": results.plan.pictures,
        "plan": results.plan.to_dict(),
        "not_found": list(results.not_found),
        "finished": finished,
    }
    return (json.dumps(content, indent=2) + "\n").encode()
