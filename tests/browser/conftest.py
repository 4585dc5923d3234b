"""A real Chromium in front of a real service with its demo clinic."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from service.database import OWNER_ROLE, dsn_as
from tests.api.clinic_issuer import CLIENT, SECRET, ClinicIssuer
from tests.browser import clock
from tests.browser.made import Made, make
from tests.service.servers import reachable_folder
from tests.service.serving import Serving, serving

AXE = Path(__file__).with_name("vendor") / "axe.min.js"
ELM = "Elm Street"
Scheme = Literal["light", "dark"]
WIDE, NARROW, NARROWEST = (1280, 800), (390, 844), (320, 640)
CROSSWISE: tuple[tuple[tuple[int, int], Scheme], ...] = ((WIDE, "light"), (NARROW, "dark"))
ALL_WAYS: tuple[tuple[tuple[int, int], Scheme], ...] = (
    *CROSSWISE,
    (NARROW, "light"),
    (WIDE, "dark"),
)
SHOTS = os.environ.get("SCREENSHOTS")
"""Where to keep pictures of every state, for somebody to look at them."""
BEYOND = """() => [...document.querySelectorAll("body *")].filter((held) => {
    const box = held.getBoundingClientRect();
    if (!box.width || held.closest(".scroll, .sr, .skip, .chart, details:not([open])")) return false;
    return box.right > innerWidth + 1 || box.left < -1;
}).map((held) => held.outerHTML.slice(0, 120))"""
SIDEWAYS = """() => [...document.querySelectorAll(".scroll")].filter(
    (held) => held.scrollWidth > held.clientWidth + 1
).map((held) => held.getAttribute("aria-label"))"""
NAMELESS = """() => [...document.querySelectorAll("table.cards")].flatMap((table) => {
    const names = [...table.querySelectorAll("thead th")];
    return [...table.querySelectorAll("tbody tr")].flatMap((row) => [...row.cells].filter((cell, at) => {
        const shown = getComputedStyle(cell, "::before").content.split('"')[1] ?? "";
        const name = names[at].querySelector(".sr") ? "" : names[at].textContent;
        return cell.checkVisibility() && shown !== name;
    }));
}).map((cell) => cell.outerHTML.slice(0, 120))"""
"""Cells of a table that on a phone do not have the name of their column before them."""
FOUND = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
LOOK = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
.map(held => `${held.id}: ${held.nodes.map(node => node.target.join(" ")).join(", ")}`)"""


COMPLAINTS = """addEventListener("securitypolicyviolation", (event) =>
console.error(`security policy: ${event.violatedDirective} ${event.blockedURI}`))"""
"""What the browser would report of the pages' own security policy becomes a complaint like any other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@dataclass(frozen=True)
class Demo:
    """The demo clinic as it is served."""

    served: Serving
    people: dict[str, dict[str, Any]]
    plans: dict[str, str]
    issuer: ClinicIssuer

    @property
    def url(self) -> str:
        """Where it is."""
        return self.served.address


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """``plan-history serve --demo`` with a sign-in of the clinic's, once for all that look at it."""
    with contextlib.ExitStack() as ending:
        folder = ending.enter_context(reachable_folder())
        issuer = ending.enter_context(ClinicIssuer().serving())
        moved: dict[str, Any] = {**ending.enter_context(clock.moved(folder))}
        (folder / "home").mkdir()
        surroundings = {**moved, **_as_client_of(issuer)}
        served = ending.enter_context(serving(folder / "home", "--demo", **surroundings))
        issuer.clock = lambda: clock.now().timestamp()
        issuer.back = f"{served.address}/sign-in/oidc/back"
        told = json.loads((folder / "home" / "demo.json").read_text("utf-8"))
        issuer.claims = {"clinic_id": told["clinic_id"]}
        people = {held["name"].split()[0].lower(): held for held in told["people"]}
        plans = {}
        for name in ("alder", "rowan"):
            bearer = {"Authorization": f"Bearer {people[name]['token']}"}
            for held in served.send("/v1/plans?limit=100", None, **bearer).body["plans"]:
                plans[held["client"]["label"].split()[0].lower()] = held["plan_id"]
        database = moved.get("DATABASE_URL") or served.database.dsn("plan_history")
        owner = ending.enter_context(
            psycopg.connect(dsn_as(database, OWNER_ROLE, seconds=30), autocommit=True)
        )
        make(Made(served.address, UUID(told["clinic_id"]), owner, people, plans))
        yield Demo(served, people, plans, issuer)


def _as_client_of(issuer: ClinicIssuer) -> dict[str, Any]:
    held = {"ISSUER": issuer.name, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "NAME": ELM}
    return {f"PLAN_HISTORY_OIDC_{name}": value for name, value in held.items()}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or whichever there is."""
    if FOUND is None:
        pytest.skip("No Chromium here: apt-get install chromium, and these tests run.")
    with sync_playwright() as driver:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = driver.chromium.launch(executable_path=FOUND, args=options)
        yield started
        started.close()


@dataclass
class Reader:
    """Somebody at a browser; what went wrong on the way is kept in ``faults``."""

    page: Page
    context: BrowserContext
    faults: list[str]
    url: str

    def open(self, path: str) -> None:
        """Go to a page."""
        self.page.goto(f"{self.url}{path}")

    def violations(self) -> list[str]:
        """What axe-core objects to on the page as it is."""
        if not self.page.evaluate("'axe' in window"):
            session = self.context.new_cdp_session(self.page)  # past the page's own security policy
            session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
            session.detach()
        found: list[str] = self.page.evaluate(LOOK)
        return found

    def looks_right(
        self, shot: str = "", *, all_ways: bool = bool(SHOTS), turn: int | None = None
    ) -> None:
        """No violation of WCAG found by axe-core, nothing beyond the edge: wide in the light, narrow in the dark.

        ``all_ways``: wide in the dark and narrow in the light as well.
        ``turn``: axe-core, which takes most of the time, is asked in one of these ways only, by turns.
        ``shot``: the name of the pictures to keep, where they are kept.
        """
        assert r"b'\x" not in self.page.inner_text("body"), "something is shown as it is kept"
        ways = ALL_WAYS if all_ways else CROSSWISE
        asked = ways if turn is None else [ways[turn % len(ways)]]
        for way in ways:
            (width, height), scheme = way
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme=scheme)
            wide = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide, width
            assert self.page.evaluate(BEYOND) == [], width
            if SHOTS and shot:
                self.page.screenshot(path=f"{SHOTS}/{shot} {width} {scheme}.png")
            if way in asked:
                assert self.violations() == [], (width, scheme)
        self.holds_on_a_phone()

    def holds_on_a_phone(self) -> None:
        """Nothing is beyond the edge or has to be pushed sideways; a table's cells say what they are."""
        for width, height in (NARROW, NARROWEST):
            self.page.set_viewport_size({"width": width, "height": height})
            assert self.page.evaluate(BEYOND) == [], width
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width
            assert self.page.evaluate(SIDEWAYS) == [], width
            assert self.page.evaluate(NAMELESS) == [], width

    def heard(self, selector: str) -> list[tuple[str, str]]:
        """The roles and names of what is inside an element, as the browser tells a screen reader."""
        session = self.context.new_cdp_session(self.page)
        root = session.send("DOM.getDocument")["root"]["nodeId"]
        node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})
        told = session.send("Accessibility.queryAXTree", {"nodeId": node["nodeId"]})["nodes"]
        session.detach()
        return [
            (held["role"]["value"], held.get("name", {}).get("value", ""))
            for held in told
            if not held["ignored"]
        ]

    def tab_to(self, selector: str, most: int = 120) -> None:
        """Press Tab until the element has the focus, as somebody without a mouse does."""
        wanted = self.page.locator(selector).first.element_handle()
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if wanted.evaluate("held => held === document.activeElement"):
                return
        raise AssertionError(f"{selector} is not reached by Tab")


Seat = Callable[..., Reader]


@pytest.fixture(scope="session")
def cookies(demo: Demo) -> Callable[[str], Any]:
    """The session cookies of somebody who signed in, once for all tests."""

    @cache
    def of(name: str) -> Any:
        answer = requests.post(
            f"{demo.url}/sign-in",
            data={"token": demo.people[name]["token"]},
            allow_redirects=False,
            timeout=10,
        )
        return [
            {"name": held.name, "value": held.value, "url": demo.url} for held in answer.cookies
        ]

    return of


@pytest.fixture
def seat(browser: Browser, demo: Demo, cookies: Callable[[str], Any]) -> Iterator[Seat]:
    """Seats somebody of the demo clinic at a browser of their own, signed in."""
    contexts: list[BrowserContext] = []

    def make(name: str | None, width: int = 1280, scheme: Any = "light", **options: Any) -> Reader:
        size: Any = {"width": width, "height": 800 if width > 600 else 844}
        context = browser.new_context(
            viewport=size, color_scheme=scheme, timezone_id="Europe/Berlin", **options
        )
        contexts.append(context)
        context.set_default_timeout(8000)
        context.add_init_script(COMPLAINTS)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        reader = Reader(page, context, faults, demo.url)
        if name is not None:
            context.add_cookies(cookies(name))
        return reader

    yield make
    for context in contexts:
        context.close()
