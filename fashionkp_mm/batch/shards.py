"""One of several shares of the pictures, for as many jobs that know nothing of each other."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from fashionkp_mm.batch.sources import Sources

_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True)
class Shard:
    """The pictures of one job out of several.

    A picture belongs to a shard by a hash of its id alone, so that a shard is the same whatever
    else is in the folder, and on whichever machine.

    Attributes:
        number: Which, from 1 on.
        count: Of how many.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """A shard by its name, as in ``3/8``.

        Raises:
            ValueError: It is not two whole numbers, the first from 1 to the second.
        """
        match = _FORM.fullmatch(text)
        number, count = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= count:
            raise ValueError(f"{text!r} is no shard; expected one such as 3/8, from 1/8 to 8/8")
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, image_id: str) -> bool:
        """Whether a picture belongs to it."""
        digest = hashlib.sha256(image_id.encode(errors="surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1

    def of(self, sources: Sources) -> Sources:
        """Its pictures; each failure is told by one of the shards."""
        return replace(
            sources,
            found=[source for source in sources.found if self.holds(source.image_id)],
            failures=[failure for failure in sources.failures if self.holds(failure)],
        )
