"""The checkpoint on paper: what a phone reads there is the checkpoint, whole."""

from __future__ import annotations

import io

import zxingcpp
from PIL import Image
from playwright.sync_api import Locator

from tests.browser.conftest import Demo, Seat
from tests.browser.test_journeys import bearer
from tests.service.servers import soon


def read(code: Locator) -> list[str]:
    """What stands in the codes that are found in a picture of it."""
    with Image.open(io.BytesIO(code.screenshot())) as picture:
        return [found.text for found in zxingcpp.read_barcodes(picture)]


def test_the_code_on_paper_is_the_checkpoint(seat: Seat, demo: Demo) -> None:
    """Read back from a printed plan, and from the auditor's page in the dark."""
    auditor = seat("linden")

    def checkpoint() -> str:
        answer = demo.served.send("/v1/ledger", None, **bearer(demo, "linden"))
        held: str | None = answer.body["entries"]["checkpoint"]
        return held or ""

    assert soon(lambda: bool(checkpoint()), 30)
    reader = seat("alder")
    for page, place in ((reader.page, "/plans/{oak}/evidence"), (auditor.page, "/audit/seals")):
        page.emulate_media(media="print", color_scheme="dark")
        page.goto(f"{reader.url}{place.format(**demo.plans)}")
        before = checkpoint()
        page.reload()
        [held] = read(page.locator(".seal .qr").first)
        assert held in {before, checkpoint()}  # another test may have recorded something meanwhile
        assert held.count("\n") >= 5
    assert reader.faults == auditor.faults == []
