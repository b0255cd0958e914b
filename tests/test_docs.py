"""What README and docs say is there: links, commands, options, configs, scripts, figures."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import typer.main

from fashionkp_mm import __version__
from fashionkp_mm.cli import app
from fashionkp_mm.exchange.formats import FORMATS
from fashionkp_mm.exchange.losses import lost
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.runtime.prediction import FRAME_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
MAX_README_LINES = 170


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(page, first):
    """Cells of the rows of a page's tables whose first cell matches."""
    lines = [line.strip("|").split("|") for line in page.read_text().splitlines() if "|" in line]
    cells = [[cell.strip(" *") for cell in line] for line in lines]
    return [row for row in cells if re.fullmatch(first, row[0])]


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_linked_from_the_readme():
    text = (ROOT / "README.md").read_text()
    for page in PAGES[1:]:
        assert f"({page.relative_to(ROOT)}" in text, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_are_there(page):
    folders = "configs|benchmarks|tools|tests|fashionkp_mm|weights|examples"
    named = rf"(?:{folders})/[\w/]+\.(?:py|sh|pth|onnx)"
    for name in re.findall(named, page.read_text()):
        if "CONFIG_NAME" not in name:
            assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page):
    commands = typer.main.get_command(app).commands
    text = page.read_text().replace("\\\n", " ")
    for name, rest in re.findall(r"^(?:.*\| )?fashionkp (\w+)(.*)$", text, re.MULTILINE):
        known = {option for parameter in commands[name].params for option in parameter.opts}
        given = set(re.findall(r"(?<!\S)--[\w-]+", rest.split("#")[0]))
        assert given <= known, f"fashionkp {name}: {given - known}"


def test_every_config_is_in_the_table_of_configs():
    text = (ROOT / "docs/train.md").read_text()
    for config in (ROOT / "configs").glob("*.py"):
        assert f"`configs/{config.name}`" in text, config.name


def test_the_page_about_python_has_the_options_of_a_predictor():
    options = inspect.signature(FashionPredictor).parameters
    text = (ROOT / "docs/python.md").read_text()
    table = text[text.index("| `FashionPredictor(…)` |") :].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(options)


def test_the_page_about_python_has_the_columns_of_a_frame():
    text = " ".join((ROOT / "docs/python.md").read_text().split())
    (sentence,) = re.findall(r"The columns of `to_frame\(\)` are (.*?), which is", text)
    assert re.findall(r"`(\w+)`", sentence) == list(FRAME_COLUMNS)


@pytest.mark.parametrize("source", ["label", "whole", "refine", "detector"])
def test_the_readme_has_the_figures_of_the_benchmarks(source):
    (row,) = rows(ROOT / "README.md", rf"`?{source}`?( \(the default\))?")
    measured = rows(ROOT / "docs/benchmarks.md", "`heatmap_lite2_320_fashion.py`")
    (long,) = [row for row in measured if row[2] == source]
    assert row[1:] == [long[3], long[9], long[11]]


def test_the_readme_has_the_figures_of_the_model_card():
    text, card = (ROOT / "README.md").read_text(), (ROOT / "docs/model_card.md").read_text()
    (all_,) = rows(ROOT / "docs/model_card.md", "all")
    (refine,) = rows(ROOT / "README.md", r"`refine` \(the default\)")
    assert refine[1] == all_[3]
    assert f"`refine` without: {all_[7]} and {all_[8]}" in " ".join(text.split())
    right = float(re.search(r"^([\d.]+) % of the images get their labelled", card, re.MULTILINE)[1])
    assert f"wrong on {100 - right:.0f} %" in " ".join(text.split())


def test_the_changelog_begins_with_this_version():
    version = re.search(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert version[1] == __version__


def test_the_page_about_formats_has_what_is_lost():
    table = {row[0].strip("`"): row for row in rows(ROOT / "docs/formats.md", r"`[\w-]+`")}
    assert table.keys() == set(FORMATS)
    for form, cells in table.items():
        several, _, absent, scores = cells[3:7]
        gone = lost(form)
        assert (several == "yes") == ("several" not in gone), form
        assert ("with a place" in absent and "without" not in absent) == (
            "absent places" not in gone
        ), form
        kept = {"yes": (True, True), "of garments": (True, False), "no": (False, False)}[scores]
        assert kept == ("scores" not in gone, "point scores" not in gone), form
