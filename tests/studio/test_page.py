"""The studio's page in a real browser, as a person uses it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra studio")
import uvicorn
from browser import chromium, screenshot

from fashionkp_mm.core.csv_format import read_labels, write_labels
from fashionkp_mm.core.garments import (
    CATEGORIES,
    KEYPOINT_INDEX,
    mirrored_name,
)
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.studio.album import open_album
from fashionkp_mm.studio.app import create_app
from fashionkp_mm.studio.session import Session
from fashionkp_mm.studio.store import Store

PATIENCE = 120
"""Seconds after which something will not happen any more, however busy the machine is."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """A page that tells every request to another site and every error of a script."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page = watched(context.new_page())
    yield page
    assert page.odd == []
    context.close()


def watched(page):
    page.set_default_timeout(1000 * PATIENCE)
    page.odd = []
    page.on("pageerror", lambda error: page.odd.append(str(error)))
    page.on(
        "console",
        lambda said: page.odd.append(said.text) if "Content Security" in said.text else None,
    )
    page.on(
        "request",
        lambda request: (
            None
            if re.match(r"http://127\.0\.0\.1:\d+/|data:,", request.url)
            else page.odd.append(request.url)
        ),
    )
    return page


@contextmanager
def served(source, model=None, *, token=None):
    """The address of a studio in a thread, and its session."""
    album = open_album(source)
    with Store(album.store_path) as store, socket.create_server(("127.0.0.1", 0)) as listener:
        predictor = None if model is None else FashionPredictor(model)
        session = Session(album, store, predictor, max_megapixels=10)
        app = create_app(session, author="Ann", token=token)
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)
        )
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", session
        finally:
            server.should_exit = True
            thread.join(20)


def open_page(page, address):
    page.goto(address)
    page.wait_for_selector("body[data-ready]")


def point(page, name):
    return page.locator(f'#overlay .selected [data-name="{name}"]')


def center(page, name):
    """Where a point of the selected garment is on the screen."""
    marks = point(page, name).locator("circle, path").last
    end = time.monotonic() + PATIENCE
    while (box := marks.bounding_box()) is None:  # it was drawn anew meanwhile
        assert time.monotonic() < end, f"{name} is not on the screen"
        page.wait_for_timeout(10)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def stored(session, number=1):
    return session.picture(number)


def wait(page, expression, seconds=PATIENCE):
    """Until something is true; the page's policy forbids what Playwright would do for this."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(10)


def saved(page):
    wait(page, "document.querySelector('#saved').textContent === 'saved'")


def held_back(page, pattern):
    """Hold back the questions that match, and let changes through; the list of those held."""
    held = []

    def hold(route):
        if route.request.method == "GET":
            held.append(route)
        else:
            route.continue_()

    page.route(pattern, hold)
    return held


def drag(page, start, end, steps=4):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def visible_name(garment):
    return next(n for n, p in garment["keypoints"].items() if p["visibility"] == "visible")


def page_scale(page):
    transform = page.locator("#stage > image").get_attribute("transform")
    return float(re.search(r"scale\(([\d.]+)\)", transform)[1])


# --- points


@pytest.mark.parametrize("wheel", [240, 0, -240])
def test_a_point_is_dragged_to_a_pixel_at_every_zoom(page, labels, wheel):
    with served(labels(1)) as (address, session):
        open_page(page, address)
        (garment,) = stored(session)["garments"]
        name = visible_name(garment)
        start, scale = center(page, name), page_scale(page)
        mouse = [round(place) for place in start]
        page.mouse.move(*mouse)
        for _ in range(3):
            page.mouse.wheel(0, wheel)
        expected = 2.718 ** (-wheel * 3 / 480)
        end = time.monotonic() + PATIENCE
        while (factor := page_scale(page) / scale) != pytest.approx(expected, rel=0.01):
            assert time.monotonic() < end, f"zoomed by {factor}, not {expected}"
            page.wait_for_timeout(10)
        # The wheel zooms at the pointer: what is there stays, all else moves away from it.
        again = center(page, name)
        away = [at + factor * (place - at) for place, at in zip(start, mouse, strict=True)]
        assert again == pytest.approx(away, abs=1)
        end = again[0] + 30, again[1] - 20
        page.mouse.down()
        page.mouse.move(mouse[0] + 30, mouse[1] - 20, steps=5)
        assert page.locator(".loupe").get_attribute("visibility") == "visible"
        screenshot(page, f"loupe_{wheel}")
        page.mouse.up()
        saved(page)
        before, after = (
            garment["keypoints"][name],
            stored(session)["garments"][0]["keypoints"][name],
        )
        moved = after["x"] - before["x"], after["y"] - before["y"]
        assert moved == pytest.approx((30 / page_scale(page), -20 / page_scale(page)), abs=0.5)
        assert center(page, name) == pytest.approx(end, abs=1)
        others = [n for n in garment["keypoints"] if n != name]
        shown = stored(session)["garments"][0]["keypoints"]
        assert all(shown[other] == garment["keypoints"][other] for other in others)


def test_keys_move_points_and_change_their_state(page, labels):
    with served(labels(1)) as (address, session):
        open_page(page, address)
        (garment,) = stored(session)["garments"]
        names = list(garment["keypoints"])
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.locator(".selected .current").get_attribute("data-name") == names[1]
        assert page.evaluate("document.activeElement.dataset.name") == names[1]
        page.keyboard.press("Shift+Tab")
        name = names[0]
        before = garment["keypoints"][name]
        for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp"):
            page.keyboard.press(key)
        states = []
        for _ in range(3):
            page.keyboard.press("v")
            saved(page)
            states.append(stored(session)["garments"][0]["keypoints"][name]["visibility"])
        screenshot(page, "selected_point")
        after = stored(session)["garments"][0]["keypoints"][name]
        assert (after["x"] - before["x"], after["y"] - before["y"]) == (11, -9)
        order = ["visible", "occluded", "absent"]
        at = order.index("visible" if before["visibility"] == "absent" else before["visibility"])
        assert states == [order[(at + step) % 3] for step in (1, 2, 3)]


def test_lengths_and_crops_follow_the_garment(page, labels):
    with served(labels(1)) as (address, session):
        open_page(page, address)
        page.wait_for_selector("#beside td")
        page.wait_for_selector("#beside img")
        before = page.locator("#beside").inner_text()
        (garment,) = stored(session)["garments"]
        name = visible_name(garment)
        drag(page, center(page, name), [c + 40 for c in center(page, name)])
        wait(page, f"document.querySelector('#beside').innerText !== {json.dumps(before)}")
        screenshot(page, "lengths_and_crops")


def test_the_whole_garment_is_moved_by_its_label_and_by_keys(page, labels):
    with served(labels(1)) as (address, session):
        open_page(page, address)
        (garment,) = stored(session)["garments"]
        box = page.locator(".handle rect").bounding_box()
        start = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        drag(page, start, (start[0] + 40, start[1] + 25))
        page.keyboard.press("Alt+Shift+ArrowLeft")
        saved(page)
        by = 40 / page_scale(page) - 10, 25 / page_scale(page)
        after = stored(session)["garments"][0]["keypoints"]
        for name, point in garment["keypoints"].items():
            moved = after[name]["x"] - point["x"], after[name]["y"] - point["y"]
            assert moved == pytest.approx(by, abs=0.05)


def test_undo_and_redo(page, labels):
    with served(labels(1)) as (address, session):
        open_page(page, address)
        start = stored(session)["garments"]
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("v")
        saved(page)
        end = stored(session)["garments"]
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+z")
        saved(page)
        assert stored(session)["garments"] == start
        page.keyboard.press("Control+y")
        page.keyboard.press("Control+Shift+Z")
        saved(page)
        assert stored(session)["garments"] == end
        assert [entry["author"] for entry in session.history(1)][1:] == ["Ann"] * 6 or (
            len(session.history(1)) >= 3
        )


def test_sides_are_swapped(page, labels):
    with served(labels(1)) as (address, session):
        open_page(page, address)
        (garment,) = stored(session)["garments"]
        page.keyboard.press("m")
        saved(page)
        (after,) = stored(session)["garments"]
        for name, point in garment["keypoints"].items():
            assert after["keypoints"][mirrored_name(name)] == point


# --- categories and garments


def test_another_category_brings_its_points(page, labels):
    with served(labels(1)) as (address, session):
        open_page(page, address)
        (garment,) = stored(session)["garments"]
        names = list(CATEGORIES)
        wanted = names[(names.index(garment["category"]) + 1) % len(names)]
        page.keyboard.press("c")
        label = "document.querySelector('.handle text').textContent.includes('{}')"
        wait(page, label.format(wanted))
        saved(page)
        (after,) = stored(session)["garments"]
        assert after["category"] == wanted
        assert set(after["keypoints"]) == set(CATEGORIES[wanted].keypoints)
        for name in set(garment["keypoints"]) & set(after["keypoints"]):
            assert after["keypoints"][name] == garment["keypoints"][name]
        screenshot(page, "category")
        page.locator("#garments select").select_option(garment["category"])
        wait(page, label.format(garment["category"]))
        saved(page)
        assert stored(session)["garments"][0]["category"] == garment["category"]


def draw_box(page, start, end):
    bounds = page.locator("#stage > image").bounding_box()
    drag(page, *[(bounds["x"] + x, bounds["y"] + y) for x, y in (start, end)])


def test_garments_are_added_predicted_again_and_deleted(page, labels, pose_file):
    with served(labels(1), pose_file) as (address, session):
        open_page(page, address)
        (garment,) = stored(session)["garments"]
        page.keyboard.press("a")
        assert page.locator("#hint").is_visible()
        screenshot(page, "draw_box")
        draw_box(page, (40, 40), (200, 300))
        page.wait_for_selector("[data-garment='1']")
        saved(page)
        first, second = stored(session)["garments"]
        assert first == garment
        assert "category_score" in second
        page.keyboard.press("p")
        draw_box(page, (100, 20), (300, 200))
        wait(page, "document.querySelector('#hint').hidden")
        saved(page)
        again = stored(session)["garments"][1]
        assert again["category"] == second["category"]
        assert again["keypoints"] != second["keypoints"]
        screenshot(page, "two_garments")
        page.keyboard.press("g")
        page.keyboard.press("Delete")
        saved(page)
        assert stored(session)["garments"] == [again]
        page.keyboard.press("Delete")
        saved(page)
        assert stored(session)["garments"] == []
        screenshot(page, "no_garment")


def test_a_box_is_given_up(page, labels):
    with served(labels(1)) as (address, session):
        open_page(page, address)
        page.keyboard.press("a")
        page.keyboard.press("Escape")
        assert not page.locator("#hint").is_visible()
        draw_box(page, (40, 40), (200, 300))  # pans
        assert stored(session)["revision"] == 0


# --- the queue


def test_enter_accepts_and_goes_on_to_the_end(page, labels):
    path = labels(3)
    with served(path) as (address, session):
        open_page(page, address)
        for number in (1, 2, 3):
            wait(page, f"location.hash === '#{number}'")
            page.keyboard.press("Enter")
        page.wait_for_selector("text=All pictures are accepted")
        saved(page)
        assert [stored(session, number)["state"] for number in (1, 2, 3)] == ["accepted"] * 3
        assert page.locator("#counter").text_content() == "3 of 3 accepted"
        assert page.locator("#progress").evaluate("bar => bar.value / bar.max") == 1
        screenshot(page, "end_of_the_queue")


def test_keys_pressed_before_the_next_picture_is_there_are_for_it(page, labels):
    with served(labels(2)) as (address, session):
        open_page(page, f"{address}#1")
        held = held_back(page, "**/api/pictures/2")
        page.reload()  # what was asked for ahead is forgotten
        page.wait_for_selector("body[data-ready]")
        first, second = (stored(session, number)["garments"] for number in (1, 2))
        name = next(iter(second[0]["keypoints"]))
        for key in ("Enter", "Tab", "ArrowRight", "ArrowRight"):
            page.keyboard.press(key)
        for route in held:
            route.continue_()
        wait(page, "location.hash === '#2'")
        saved(page)
        assert stored(session, 1)["state"] == "accepted"
        assert stored(session, 1)["garments"] == first
        after = stored(session, 2)["garments"][0]["keypoints"][name]
        assert after["x"] == second[0]["keypoints"][name]["x"] + 2


def test_filters(page, labels):
    with served(labels(5)) as (address, session):
        categories = [entry["categories"][0] for entry in session.queue()]
        open_page(page, address)
        page.locator("#category-filter").select_option(categories[0])
        assert page.locator(".row").count() == categories.count(categories[0])
        page.locator("#category-filter").select_option("")
        page.keyboard.press("Enter")
        saved(page)
        page.locator("#state").select_option("accepted")
        assert page.locator(".row").count() == 1
        page.locator("#state").select_option("empty")
        assert page.locator(".row").count() == 0
        assert page.get_by_text("No picture passes").is_visible()
        screenshot(page, "empty_queue")


def test_a_broken_picture_is_said_and_the_next_one_works(page, labels):
    path = labels(2)
    (path.parent / read_labels(path).image_ids[0]).write_bytes(b"no picture")
    with served(path) as (address, _):
        open_page(page, f"{address}#1")
        page.wait_for_selector("#message:has-text('not an image')")
        assert page.locator(".point").count() == 0
        assert page.locator("[data-number='1']:has-text('cannot be shown')").count() == 1
        screenshot(page, "broken_picture")
        page.keyboard.press("PageDown")
        page.wait_for_selector(".point")
        assert not page.locator("#message").is_visible()


def test_a_picture_that_breaks_off_is_said(page, labels):
    path = labels(2)
    image = path.parent / read_labels(path).image_ids[0]
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])  # its head is whole
    with served(path) as (address, session):
        assert stored(session)["error"] is None
        page.goto(f"{address}#1")
        page.wait_for_selector("#message:has-text('cut off'), #message:has-text('truncated')")
        assert page.locator(".point").count() == 0
        page.keyboard.press("PageDown")
        page.wait_for_selector("#stage[data-shown='2']")
        assert not page.locator("#message").is_visible()


def test_a_thousand_pictures(page, labels):
    path = labels(1)
    table = read_labels(path)
    image = (path.parent / table.image_ids[0]).read_bytes()
    lines = path.read_text().splitlines()
    cells = lines[1].split(",", 1)[1]
    rows = [f"many/{index:04}.jpg,{cells}" for index in range(1000)]
    (path.parent / "many").mkdir()
    for index in range(1000):
        (path.parent / f"many/{index:04}.jpg").write_bytes(image)
    path.write_text("\n".join([lines[0], *rows]) + "\n")
    with served(path) as (address, _):
        open_page(page, address)
        page.wait_for_selector(".point")
        assert page.locator("#counter").text_content() == "0 of 1,000 accepted"
        assert 10 < page.locator(".row").count() < 60
        page.locator("#rows").evaluate("rows => rows.scrollTop = rows.scrollHeight")
        page.locator("[data-number='1000']").click()
        wait(page, "location.hash === '#1000'")


# --- what must not be lost


def test_a_question_is_asked_of_all_that_was_changed_and_one_by_one(page, labels):
    """Nobody is overwritten by what is done while the page asks what to do."""
    with served(labels(2)) as (address, session):
        open_page(page, f"{address}#1")
        first, second = (stored(session, number) for number in (1, 2))
        for now in (first, second):  # somebody else is quicker, twice
            more = {"state": "open", "author": "Bob", "key": f"Bob {now['number']}"}
            session.change(now["number"], now["revision"], now["garments"], **more)
        held = held_back(page, "**/api/pictures/1")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        end = time.monotonic() + PATIENCE
        while not held:  # it was refused, and the page asks what the picture is like by now
            assert time.monotonic() < end
            page.wait_for_timeout(10)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("PageDown")
        wait(page, "location.hash === '#2'")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(500)
        for number in (1, 2):
            assert stored(session, number)["author"] == "Bob"
        for route in held:
            route.continue_()
        page.click("#conflict button:has-text('Save mine instead')")
        page.click("#conflict button:has-text('Keep theirs')")
        saved(page)
        name = next(iter(first["garments"][0]["keypoints"]))
        before, after = (
            version["garments"][0]["keypoints"][name] for version in (first, stored(session, 1))
        )
        assert (after["x"], after["y"]) == (before["x"] + 1, before["y"] + 1)
        assert stored(session, 1)["author"] != "Bob"
        assert stored(session, 2)["garments"] == second["garments"]
        assert stored(session, 2)["author"] == "Bob"


def test_two_pages_do_not_overwrite_each_other(page, browser, labels):
    with served(labels(1)) as (address, session):
        other = watched(browser.new_page())
        open_page(page, address)
        open_page(other, address)
        other.evaluate("localStorage.setItem('author', 'Bob')")
        other.reload()
        other.wait_for_selector(".point")
        (garment,) = stored(session)["garments"]
        name = visible_name(garment)
        drag(other, center(other, name), [c + 20 for c in center(other, name)])
        saved(other)
        theirs = stored(session)
        assert theirs["author"] == "Bob"
        drag(page, center(page, name), [c - 20 for c in center(page, name)])
        page.wait_for_selector("#conflict[open]")
        screenshot(page, "conflict")
        assert page.locator("#conflict .preview").count() == 2
        assert "Bob" in page.locator("#conflict").text_content()
        assert stored(session) == theirs
        page.keyboard.press("Escape")
        assert page.locator("#conflict").is_visible()
        page.get_by_role("button", name="Keep theirs").click()
        wait(page, "document.querySelector('#facts').textContent.includes('Bob')")
        assert stored(session) == theirs
        # And the other way round: mine is saved upon theirs.
        drag(page, center(page, name), [c - 20 for c in center(page, name)])
        saved(page)
        mine = stored(session)
        assert mine["author"] == "Ann"
        drag(other, center(other, name), [c + 9 for c in center(other, name)])
        other.wait_for_selector("#conflict[open]")
        other.get_by_role("button", name="Save mine instead").click()
        wait(other, "!document.querySelector('#conflict').open")
        saved(other)
        assert stored(session)["author"] == "Bob"
        assert [version["author"] for version in session.history(1)][1:] == ["Bob", "Ann", "Bob"]
        assert other.odd == []
        other.context.close()


def start_server(path, port):
    command = ["studio", str(path), "--no-browser", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "fashionkp_mm", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while "Ctrl-C ends" not in (line := server.stdout.readline()):
        assert line, "the server did not start"
    return server


@pytest.mark.skipif(os.name == "nt", reason="no kill -9")
def test_a_killed_server_loses_nothing_and_the_page_goes_on(page, labels, free_port):
    path = labels(1)
    server = start_server(path, free_port)
    open_page(page, f"http://127.0.0.1:{free_port}/")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    saved(page)
    server.send_signal(signal.SIGKILL)
    server.wait()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#saved.problem")
    screenshot(page, "server_gone")
    server = start_server(path, free_port)
    saved(page)
    page.reload()
    page.wait_for_selector(".point")
    name = page.evaluate("document.querySelector('.selected .point').dataset.name")
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    with Store(open_album(path).store_path) as store:
        history = store.history(1)
    moves = [version.garments[0]["keypoints"][name]["x"] for version in history]
    assert moves[-1] - moves[0] == 3
    assert sorted(set(moves)) == moves


# --- phones, dark rooms, other people's networks


def test_a_finger_drags_a_point_on_a_phone(browser, labels):
    with served(labels(1)) as (address, session):
        context = browser.new_context(
            viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
        )
        page = watched(context.new_page())
        open_page(page, address)
        page.wait_for_selector(".point")
        screenshot(page, "phone")
        (garment,) = stored(session)["garments"]
        name = visible_name(garment)
        x, y = center(page, name)
        touch = context.new_cdp_session(page)

        def send(kind, *places):
            points = [{"x": px, "y": py, "id": index} for index, (px, py) in enumerate(places)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        send("touchStart", (x + 12, y + 8))  # a finger is not that exact
        for step in range(1, 6):
            send("touchMove", (x + 12 + 5 * step, y + 8 + 4 * step))
        screenshot(page, "phone_loupe")
        send("touchEnd")
        saved(page)
        after, before = (
            stored(session)["garments"][0]["keypoints"][name],
            garment["keypoints"][name],
        )
        moved = after["x"] - before["x"], after["y"] - before["y"]
        assert moved == pytest.approx((25 / page_scale(page), 20 / page_scale(page)), abs=0.5)
        scale = page_scale(page)
        send("touchStart", (150, 250), (250, 250))
        send("touchMove", (130, 250), (250, 250))
        send("touchMove", (100, 250), (300, 250))
        send("touchEnd")
        assert page_scale(page) == pytest.approx(2 * scale, rel=0.01)
        # Chromium may take what follows a pinch at once for a part of it, so a tap may be lost.
        end = time.monotonic() + PATIENCE
        while not page.get_by_role("button", name="Accepted").is_visible():
            assert time.monotonic() < end
            page.wait_for_timeout(500)
            page.get_by_role("button", name="Accept").tap()
        saved(page)
        assert stored(session)["state"] == "accepted"
        page.locator("#queue-toggle").tap()
        assert page.locator("#rows").is_visible()
        screenshot(page, "phone_queue")
        assert page.odd == []
        context.close()


def test_a_dark_room(browser, labels):
    with served(labels(2)) as (address, _):
        context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 800})
        page = watched(context.new_page())
        open_page(page, address)
        page.wait_for_selector(".point")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert max(map(int, re.findall(r"\d+", ground)[:3])) < 60
        page.keyboard.press("Tab")
        screenshot(page, "dark")
        page.keyboard.press("?")
        assert page.get_by_text("swap left and right").is_visible()
        screenshot(page, "help_dark")
        context.close()


def test_the_address_with_the_token_opens_the_page(page, labels):
    with served(labels(1), token="let-me-in") as (address, session):
        assert page.goto(address).status == 401
        open_page(page, f"{address}?token=let-me-in")
        assert page.url.startswith(address)
        assert "token" not in page.url
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        saved(page)
        assert stored(session)["revision"] == 1


# --- the whole way


def test_ten_points_one_garment_more_one_less_and_the_file_has_just_that(page, labels):
    path = labels(6)
    table = read_labels(path)
    empty = table.select([5])  # of which the file knows nothing
    write_labels(path, table.select(range(5)))
    spare = path.parent / empty.image_ids[0]
    before = read_labels(path)
    lines = path.read_text().splitlines()
    with served(path) as (address, session):
        open_page(page, address)
        wanted = before.keypoints.copy()
        for number in range(1, 6):
            wait(page, f"location.hash === '#{number}'")
            (garment,) = stored(session, number)["garments"]
            names = [n for n, p in garment["keypoints"].items() if p["visibility"] != "absent"][:2]
            for name in names:
                x, y = center(page, name)
                drag(page, (x, y), (x + 18, y - 12))
                page.keyboard.press("ArrowDown")
                k = KEYPOINT_INDEX[name]
                wanted[number - 1, k] += (18 / page_scale(page), 1 - 12 / page_scale(page))
            page.keyboard.press("Enter")
        page.wait_for_selector("text=All pictures are accepted")
        saved(page)
        page.locator("[data-number='2']").click()
        wait(page, "location.hash === '#2'")
        page.keyboard.press("Delete")
        page.locator("[data-number='4']").click()
        wait(page, "location.hash === '#4'")
        page.keyboard.press("a")
        draw_box(page, (100, 60), (300, 400))
        page.wait_for_selector("[data-garment='1']")
        saved(page)
        page.locator("#export-open").click()
        screenshot(page, "export")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download JSON").click()
        entries = json.loads(Path(download.value.path()).read_text())
        assert len(entries) == 5  # one less, one more
        page.get_by_role("button", name="Write labels.csv").click()
        page.wait_for_selector("text=5 pictures changed")
        page.wait_for_selector("text=a CSV holds the first of each")
    after = read_labels(path)
    kept = [0, 2, 3, 4]
    assert after.image_ids == tuple(before.image_ids[row] for row in kept)
    assert (after.visibility == before.visibility[kept]).all()
    assert after.keypoints == pytest.approx(wanted[kept], abs=0.51)
    moved = (after.keypoints != before.keypoints[kept]).any(axis=-1)
    assert moved.sum(axis=1).tolist() == [2, 2, 2, 2]
    new = path.read_text().splitlines()
    for row, old in zip(new[1:], [lines[1], *lines[3:]], strict=True):
        cells = list(zip(row.split(","), old.split(","), strict=True))
        assert sum(a != b for a, b in cells) == 2
    assert spare.is_file()
