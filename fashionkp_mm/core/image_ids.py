"""Image ids: what they may be, and those of two files that mean the same pictures.

An id is a path with ``/``. One tool writes ``Images/blouse/x.jpg``, another ``blouse/x.jpg`` or
``/data/train/Images/blouse/x.jpg``: the end of the path stays, what stands before it changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence


class UnmatchedIdsError(ValueError):
    """Two files that are to be compared have not one image id in common."""


def require_overlap(labelled: Sequence[str], predicted: Sequence[str]) -> None:
    """Refuse to compare files that have no image in common, unless one of them has none at all.

    Args:
        labelled: Image ids of the labels.
        predicted: Those of the predictions.

    Raises:
        UnmatchedIdsError: No id is in both; the message says in what they differ.
    """
    if not labelled or not predicted or not set(labelled).isdisjoint(predicted):
        return
    reason = difference_in_words(labelled, predicted)
    if not reason:
        reason = f"the labels have ids such as '{labelled[0]}', the predictions '{predicted[0]}'"
    raise UnmatchedIdsError(
        f"no prediction is of a labelled image: {reason}; give both the same image ids"
    )


def id_problem(image_id: str) -> str:
    """Why an id cannot name a picture below a data root, and the remedy; empty where it can."""
    parts = re.split(r"[/\\]", image_id)
    if re.match(r"[/\\~]|[A-Za-z]:", image_id) or ".." in parts:
        return (
            "the image id leaves the data root; expected a relative path without '..', such as"
            " Images/blouse/NAME.jpg"
        )
    if len(parts) > len(image_id.split("/")):
        return (
            "the image id has a backslash; expected '/' between folders, as in"
            " Images/blouse/NAME.jpg"
        )
    return ""


def match_ids(wanted: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Pair ids that are equal; else those that share the longest tail of their paths.

    A tail is the file name and any folders right before it. Two ids are a pair by their tail only
    where each is the one best partner of the other among the ids that have no equal: nothing is
    guessed where two would do.

    Args:
        wanted: Ids to find a partner for.
        known: Ids to find it among.

    Returns:
        The known id by the wanted one, in the order of ``wanted``; ids without a partner are left
        out.
    """
    exact = set(wanted) & set(known)
    left = [image_id for image_id in dict.fromkeys(wanted) if image_id not in exact]
    right = [image_id for image_id in dict.fromkeys(known) if image_id not in exact]
    forth, back = _best_partners(left, right), _best_partners(right, left)
    pairs = {image_id: image_id for image_id in exact}
    pairs |= {ours: theirs for ours, theirs in forth.items() if back.get(theirs) == ours}
    return {image_id: pairs[image_id] for image_id in dict.fromkeys(wanted) if image_id in pairs}


def difference_in_words(wanted: Sequence[str], known: Sequence[str]) -> str:
    """Say in what ids differ of which none is known, as an example; empty where nothing is alike.

    Args:
        wanted: Ids of one file.
        known: Ids of another one.
    """
    total = len(set(wanted))
    by_tail = match_ids(wanted, known)
    if by_tail:
        ours, theirs = next(iter(by_tail.items()))
        alike = f"{len(by_tail):,} of {total:,} differ only in the folders before the name"
        return f"{alike}, such as '{ours}' and '{theirs}'"
    folded = {image_id.casefold(): image_id for image_id in known}
    in_case = [image_id for image_id in dict.fromkeys(wanted) if image_id.casefold() in folded]
    if in_case:
        alike = f"{len(in_case):,} of {total:,} differ only in upper and lower case"
        return f"{alike}, such as '{in_case[0]}' and '{folded[in_case[0].casefold()]}'"
    return ""


def _best_partners(ids: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """For each id the other one with the longest common tail, where it is the only one."""
    owners: dict[tuple[str, ...], list[str]] = {}
    for other in others:
        for tail in _tails(other):
            owners.setdefault(tail, []).append(other)
    best = {}
    for image_id in ids:
        longest = next((owners[tail] for tail in _tails(image_id) if tail in owners), [])
        if len(longest) == 1:
            best[image_id] = longest[0]
    return best


def _tails(image_id: str) -> Iterator[tuple[str, ...]]:
    """The parts of a path from each of them to the end, the longest first."""
    parts = tuple(part for part in image_id.split("/") if part not in ("", "."))
    return (parts[first:] for first in range(len(parts)))
