"""The page: what a test run is to tell, in the order in which one asks."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm import __version__
from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.core.normalized_error import NormalizedErrorResult
from fashionkp_mm.core.recognition import Confusion, Recognition
from fashionkp_mm.report import charts
from fashionkp_mm.report.cases import Case
from fashionkp_mm.report.markup import Html, join, tag, void

_STYLE = Path(__file__).with_name("page.css")
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What the browser may load: nothing but what stands in the page."""
_FULL_TINT = 2.0
"""Multiple of the overall NE at which a cell has its strongest tint."""
_STRONGEST = 0.6


@dataclass(frozen=True)
class Report:
    """Everything that goes on the page.

    Attributes:
        name: What was tested, such as the name of the file of predictions.
        score_name: What the score is called: ``NE``, or NE of what.
        score: The score.
        rules: By which rules it came about, names and sentences.
        warning: What the reader has to know first, or empty.
        category_indices: ``(N,)`` labelled categories, positions in ``garments.CATEGORY_NAMES``.
        errors: ``(N, K)`` percent of the normaliser; NaN where a point is not scored.
        recognition: Of categories and visibilities.
        worst: Images with the largest NE, the largest first.
        best: Images with the smallest NE, the smallest first.
    """

    name: str
    score_name: str
    score: NormalizedErrorResult
    rules: Sequence[tuple[str, str]]
    warning: str
    category_indices: NDArray[np.int8]
    errors: NDArray[np.float64]
    recognition: Recognition
    worst: Sequence[Case]
    best: Sequence[Case]


def render_page(report: Report) -> str:
    """The whole HTML file."""
    sections = [
        _by_category(report),
        _distribution(report),
        _by_keypoint(report),
        _recognition(report.recognition),
        _cases("Worst cases", "Labels on the left, prediction on the right.", report.worst),
        _cases("Best cases", "The other end, drawn the same way.", report.best),
    ]
    head = tag(
        "head",
        void("meta", charset="utf-8"),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", f"{report.name}: {report.score_name} {_number(report.score.value)} %"),
        tag("style", Html(_STYLE.read_text())),
    )
    body = tag("body", _header(report), tag("main", *sections), _footer())
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(report: Report) -> Html:
    score = report.score
    figures = [
        _figure(report.score_name, _number(score.value), "%", class_="first"),
        *(
            _figure(f"{name} accuracy", f"{confusion.accuracy:.1f}", "%")
            for name, confusion in _confusions(report.recognition)
        ),
        _figure("points scored", f"{score.points:,}"),
        _figure("images", f"{score.images - score.skipped_images:,}"),
    ]
    rules = [join(tag("dt", name), tag("dd", text)) for name, text in report.rules]
    return tag(
        "header",
        tag("p", "Apparel keypoints: predictions against labels", class_="kind"),
        tag("h1", report.name),
        tag("dl", *figures, class_="figures"),
        tag("p", report.warning, class_="warning") if report.warning else "",
        tag("dl", *rules, class_="rules"),
    )


def _figure(name: str, value: str, unit: str = "", class_: str | None = None) -> Html:
    number = tag("dd", value, tag("small", f" {unit}") if unit else "")
    return tag("div", tag("dt", name), number, class_=class_)


def _by_category(report: Report) -> Html:
    scores = report.score.per_category
    largest = max((s.value for s in scores.values() if s.points), default=1.0) or 1.0
    rows = [
        tag(
            "tr",
            tag("th", _swatch(name), name, scope="row"),
            tag("td", _number(score.value)),
            tag("td", _bar(name, score.value / largest) if score.points else "", class_="bars"),
            tag("td", f"{score.points:,}"),
        )
        for name, score in scores.items()
    ]
    table = _table(("category", "NE %", "", "points"), rows, class_="wide")
    lead = (
        "The distance from the predicted to the labelled point, in percent of the distance between"
        " the garment's armpits or the ends of its waistband. Lower is better."
    )
    return _section("Normalized error by category", lead, table)


def _distribution(report: Report) -> Html:
    scored = ~np.isnan(report.errors)
    every = report.errors[scored]
    if not every.size:
        return Html("")
    groups = {
        name: report.errors[report.category_indices == index][
            scored[report.category_indices == index]
        ]
        for index, name in enumerate(CATEGORY_NAMES)
        if name in report.score.per_category
    }
    colors = {name: _color(name) for name in groups}
    half, tenth = np.percentile(every, [50, 90])
    lead = (
        f"Half of the points lie within {half:.2f} %, nine of ten within {tenth:.2f} %."
        " The mean is the NE; few large errors can make most of it."
    )
    key = charts.legend({"all": "var(--ink)", **colors})
    charted = tag(
        "div",
        tag("div", charts.histogram(every)),
        tag("div", charts.cumulative(groups, colors), key),
        class_="pair",
    )
    return _section("How the errors are distributed", lead, charted)


def _by_keypoint(report: Report) -> Html:
    shown = [name for name in CATEGORY_NAMES if name in report.score.per_category]
    reference = report.score.value or 1.0
    rows = []
    for k, keypoint in enumerate(KEYPOINT_NAMES):
        if keypoint not in report.score.per_keypoint:
            continue
        score = report.score.per_keypoint[keypoint]
        cells = [_tinted(score.value, reference, f"{score.points:,} points")]
        for name in shown:
            of_category = report.errors[report.category_indices == CATEGORY_NAMES.index(name), k]
            errors = of_category[~np.isnan(of_category)]
            title = f"{name}: {errors.size:,} points"
            value = float(errors.mean()) if errors.size else float("nan")
            cells.append(_tinted(value, reference, title))
        rows.append(tag("tr", tag("th", keypoint.replace("_", " "), scope="row"), *cells))
    if not rows:
        return Html("")
    names = [join(_swatch(name), name) for name in shown]
    lead = "NE in percent. The redder, the farther above the overall score."
    return _section("Normalized error by keypoint", lead, _table(("", "all", *names), rows))


def _tinted(value: float, reference: float, title: str) -> Html:
    if np.isnan(value):
        return tag("td", "", class_="none")
    share = min(max(value / reference - 1, 0) / (_FULL_TINT - 1), 1)
    style = f"background:rgb(var(--wrong) / {_STRONGEST * share:.2f})"
    return tag("td", f"{value:.2f}", title=title, style=style)


def _recognition(found: Recognition) -> Html:
    leads = {
        "category": "Rows are labelled categories, columns predicted ones.",
        "visibility": "Over the points that the labelled category defines. Rows are labelled,"
        " columns predicted.",
    }
    return join(
        *(
            _section(
                f"{name.capitalize()}: {confusion.accuracy:.2f} % right",
                f"{leads[name]} Mean of the classes: {confusion.balanced_accuracy:.2f} %.",
                _confusion_table(confusion),
            )
            for name, confusion in _confusions(found)
        )
    )


def _confusion_table(confusion: Confusion) -> Html:
    rows = []
    for i, name in enumerate(confusion.names):
        total = int(confusion.counts[i].sum())
        cells = []
        for j, count in enumerate(confusion.counts[i].tolist()):
            share = count / total if total else 0
            hue = "right" if i == j else "wrong"
            style = f"background:rgb(var(--{hue}) / {_STRONGEST * share**0.5:.2f})"
            title = f"{100 * share:.1f} % of {name} taken for {confusion.names[j]}"
            cells.append(tag("td", f"{count:,}", title=title, style=style, class_="count"))
        share_found = confusion.per_class.get(name, float("nan"))
        cells.append(tag("td", f"{_number(share_found)}"))
        rows.append(tag("tr", tag("th", name, scope="row"), *cells))
    return _table(("labelled", *confusion.names, "right %"), rows, class_="confusion")


def _cases(title: str, lead: str, cases: Sequence[Case]) -> Html:
    if not cases:
        return Html("")
    items = [tag("li", _case(case)) for case in cases]
    return _section(title, lead, tag("ul", *items, class_="cases"))


def _case(case: Case) -> Html:
    panels = [
        void(
            "img",
            src=f"data:image/jpeg;base64,{base64.b64encode(data).decode()}",
            width=case.size[0],
            height=case.size[1],
            alt=f"{what} of a {case.category}",
            loading="lazy",
        )
        for what, data in (("Labels", case.labels), ("Prediction", case.prediction))
    ]
    worst, error = case.worst_point
    wrong = case.predicted_category != case.category
    caption = tag(
        "figcaption",
        tag("strong", f"{case.error:.2f} %"),
        f" {case.category}",
        tag("span", f", taken for {case.predicted_category}", class_="wrong") if wrong else "",
        f"; worst of {case.points} points: {worst.replace('_', ' ')}, {error:.1f} %",
        void("br"),
        tag("span", case.image_id, class_="id"),
    )
    return tag("figure", tag("div", *panels, class_="panels"), caption)


def _footer() -> Html:
    text = (
        f"Made by fashionkp_mm {__version__}. The pictures on this page are those of the data set;"
        " mind its licence before passing the page on."
    )
    return tag("footer", text)


def _section(title: str, lead: str, *content: Html) -> Html:
    return tag("section", tag("h2", title), tag("p", lead, class_="lead"), *content)


def _table(names: Sequence[str], rows: Sequence[Html], class_: str | None = None) -> Html:
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    return tag("div", tag("table", head, tag("tbody", *rows), class_=class_), class_="scroll")


def _bar(category: str, share: float) -> Html:
    return tag("span", style=f"width:{100 * share:.1f}%;background:{_color(category)}")


def _swatch(category: str) -> Html:
    return tag("span", class_="swatch", style=f"background:{_color(category)}")


def _color(category: str) -> str:
    return CATEGORIES[category].html_color


def _confusions(found: Recognition) -> Sequence[tuple[str, Confusion]]:
    pairs = (("category", found.category), ("visibility", found.visibility))
    return [(name, confusion) for name, confusion in pairs if confusion]


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"
