"""Charts as inline SVG; their colours are the page's, so that they follow light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.report.markup import Html, join, tag

_WIDTH, _HEIGHT = 420, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 10, 24, 40
_PLOT_WIDTH = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = _HEIGHT - _TOP - _BOTTOM
_BINS = 30
_LIMITS = (5, 10, 15, 20, 30, 50, 100, 200, 500)
_SHOWN_SHARE = 97
"""Percent of the errors that the axis is to hold."""
_CURVE_STEPS = 120


def axis_limit(errors: NDArray[np.float64]) -> float:
    """Where the axis of errors ends, a round number of percent."""
    if not errors.size:
        return float(_LIMITS[0])
    needed = float(np.percentile(errors, _SHOWN_SHARE))
    return float(next((limit for limit in _LIMITS if limit >= needed), _LIMITS[-1]))


def histogram(errors: NDArray[np.float64]) -> Html:
    """How many points have which error, with their median and mean marked.

    Args:
        errors: ``(P,)`` percent of the normaliser.
    """
    limit = axis_limit(errors)
    edges = np.linspace(0, limit, _BINS + 1)
    counts = np.histogram(errors, edges)[0]
    beyond = int((errors > limit).sum())
    top = _round_up(max(1, int(counts.max(initial=0)), beyond))
    # What lies beyond the axis is one more bar behind its end.
    width = _PLOT_WIDTH / (_BINS + 2)
    plot = _Plot(limit, top, width * _BINS)
    bars = []
    for index, count in enumerate([*counts.tolist(), beyond]):
        last = index == _BINS
        x = _LEFT + (index + last) * width
        y = plot.y(count)
        span = (
            f"more than {limit:g} %" if last else f"{edges[index]:.3g} to {edges[index + 1]:.3g} %"
        )
        bars.append(
            tag(
                "rect",
                tag("title", f"{span}: {count:,} points"),
                x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width - 1:.1f}",
                height=f"{plot.y(0) - y:.1f}", class_="bar beyond" if last else "bar",
            )
        )  # fmt: skip
    marks: list[Html] = []
    if errors.size:
        median, mean = float(np.median(errors)), float(errors.mean())
        marks = [
            *plot.mark(median, f"median {median:.2f} %", row=0),
            *plot.mark(mean, f"NE {mean:.2f} %", row=1),
        ]
    more = tag(
        "text", f">{limit:g}", x=f"{_LEFT + (_BINS + 1.5) * width:.1f}", y=plot.y(0) + 14,
        class_="tick", text_anchor="middle",
    )  # fmt: skip
    label = f"Histogram of the errors of {errors.size:,} points"
    return _svg(label, *plot.axes("points", "error, % of the normaliser"), *bars, more, *marks)


def cumulative(groups: Mapping[str, NDArray[np.float64]], colors: Mapping[str, str]) -> Html:
    """Which share of the points has at most which error, a curve each group.

    Args:
        groups: Errors ``(P,)`` in percent of the normaliser, by name.
        colors: The curves' CSS colours, by name.
    """
    together = np.concatenate([*groups.values(), np.empty(0)])
    limit = axis_limit(together)
    plot = _Plot(limit, 100, _PLOT_WIDTH)
    at = np.linspace(0, limit, _CURVE_STEPS + 1)
    curves = [_curve(plot, at, together, "var(--ink)", "all", width=2.6)]
    curves += [_curve(plot, at, e, colors[name], name, width=1.6) for name, e in groups.items()]
    # The curve of all lies on top.
    return _svg(
        "Share of points by error, for all and for each category",
        *plot.axes("% of points", "error at most, % of the normaliser"),
        *reversed(curves),
    )


def _curve(
    plot: _Plot, at: NDArray[np.float64], errors: NDArray[np.float64], color: str, name: str,
    *, width: float,
) -> Html:  # fmt: skip
    if not errors.size:
        return Html("")
    shares = 100 * np.searchsorted(np.sort(errors), at, side="right") / errors.size
    points = " ".join(
        f"{plot.x(x):.1f},{plot.y(y):.1f}"
        for x, y in zip(at.tolist(), shares.tolist(), strict=True)
    )
    title = tag("title", f"{name}: {errors.size:,} points")
    return tag(
        "polyline", title, points=points, fill="none", style=f"stroke:{color}",
        stroke_width=width, stroke_linejoin="round",
    )  # fmt: skip


class _Plot:
    """The plotted area of a chart: from 0 to its limits in either direction."""

    def __init__(self, x_limit: float, y_limit: float, width: float) -> None:
        self.x_limit, self.y_limit, self.width = x_limit, y_limit, width

    @property
    def is_wide(self) -> bool:
        """Whether its end is the chart's, so that the last number of the axis has room."""
        return self.width == _PLOT_WIDTH

    def x(self, value: float) -> float:
        return _LEFT + self.width * value / self.x_limit

    def y(self, value: float) -> float:
        return _TOP + _PLOT_HEIGHT * (1 - value / self.y_limit)

    def axes(self, y_name: str, x_name: str) -> list[Html]:
        """Lines and numbers of both axes, with what they mean."""
        drawn = []
        for value in _ticks(self.y_limit, 4):
            y = f"{self.y(value):.1f}"
            number = tag(
                "text", f"{value:,.0f}", x=_LEFT - 5, y=y, class_="tick", text_anchor="end",
                dominant_baseline="middle",
            )  # fmt: skip
            drawn += [tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid"), number]
        drawn += [
            tag(
                "text", f"{value:g}", x=f"{self.x(value):.1f}", y=self.y(0) + 14, class_="tick",
                text_anchor="middle",
            )
            for value in _ticks(self.x_limit, 5)[: None if self.is_wide else -1]
        ]  # fmt: skip
        middle = _LEFT + _PLOT_WIDTH / 2
        name = tag("text", x_name, x=middle, y=_HEIGHT - 6, class_="axis", text_anchor="middle")
        above = tag("text", y_name, x=2, y=9, class_="axis")
        return [*drawn, name, above]

    def mark(self, value: float, text: str, *, row: int) -> list[Html]:
        """A line at a value, and its name to the right of it."""
        if value > self.x_limit:
            return []
        x = f"{self.x(value):.1f}"
        top = _TOP + 6 + 14 * row
        line = tag("line", x1=x, x2=x, y1=top, y2=self.y(0), class_=f"mark row{row}")
        return [line, tag("text", text, x=float(x) + 5, y=top + 5, class_="note")]


def _svg(label: str, *content: Html) -> Html:
    return tag(
        "svg", *content, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=label,
        class_="chart",
    )  # fmt: skip


def _ticks(limit: float, count: int) -> Sequence[float]:
    values: list[float] = np.linspace(0, limit, count + 1).tolist()
    return values


def _round_up(value: int) -> int:
    """The next number of which a quarter is easy to read."""
    power: int = 10 ** max(0, len(str(value)) - 2)
    steps = (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 60, 80, 100)
    return next(step * power for step in steps if step * power >= value)


def legend(entries: Mapping[str, str]) -> Html:
    """Names with the colours that stand for them."""
    items = [
        tag("li", tag("span", class_="swatch", style=f"background:{color}"), name)
        for name, color in entries.items()
    ]
    return tag("ul", join(*items), class_="legend")
