"""HTML written so that no text of a file can become part of its markup."""

from __future__ import annotations

from html import escape


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *content: str, **attributes: object) -> Html:
    """An element. What is not `Html` is escaped, attributes are in any case.

    Args:
        name: The element's name.
        content: What it holds, in order.
        attributes: ``class_`` stands for ``class``, other underscores for hyphens; None leaves an
            attribute out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>{join(*content)}</{name}>")


def void(name: str, /, **attributes: object) -> Html:
    """An element that never holds anything, such as ``img``."""
    return Html(tag(name, **attributes).removesuffix(f"</{name}>"))


def join(*content: str) -> Html:
    """Several pieces one after the other; what is not `Html` is escaped."""
    return Html("".join(c if isinstance(c, Html) else escape(c) for c in content))
