"""What the guides say can be pasted, pasted: every block of shell and Python, against the demo as it is served."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest

from service.webhooks.signing import new_secret, shown, signed
from tests.faults.load import OPENING
from tests.service.servers import reachable_folder
from tests.service.serving import Serving, environment, serving
from tests.test_docs import ROOT, text

PLACE = "https://93.184.216.34"
"""Where the guides say example.org: a place outside that needs no name server. Nothing is sent there in time."""
CURL = """
curl() {
    case " $* " in
        *"/feed/stream"*) command curl --max-time 2 "$@" || [ $? = 28 ] ;;
        *) command curl --fail-with-body --show-error "$@" ;;
    esac
}
"""
"""curl that fails when it is refused, and leaves streams, which have no end, after a while."""

SEALED = """
until curl -s $url/v1/ledger -H "$auth" | grep -q '"behind":0,.*"access_log"'; do :; done
"""
"""Waits until the sealer has caught up: who reads a guide is slower than who pastes all of it at once."""

OURS = "PATH=$PWD/.venv/bin:$PATH"
"""Lets a shell find the programs that docs/proofs.md takes for installed."""


class Enough(Exception):  # noqa: N818 - no error: it has seen enough
    """Raised to end what goes on for ever."""


def blocks(place: str, language: str) -> list[str]:
    """The blocks of a guide in one language, as they would be pasted."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", text(place), re.DOTALL | re.MULTILINE)
    return [held.replace("https://example.org", PLACE) for held in found]


@pytest.fixture(scope="module")
def demo() -> Iterator[Serving]:
    """The demo, as somebody starts it."""
    with reachable_folder() as folder, serving(folder / "home", "--demo") as started:
        yield started


def pasted(demo: Serving, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """A shell in which a script is pasted, in a folder like the repository's; no program of ours is found yet."""
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / "docs").symlink_to(ROOT / "docs")
    ours = str(Path(sys.prefix) / "bin")
    programs = ":".join(held for held in os.environ["PATH"].split(":") if held != ours)
    return subprocess.run(  # noqa: S603 - what the guides say
        ["/bin/sh", "-euc", CURL + script],
        cwd=folder,
        env={**environment(demo.home), "PATH": programs},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


TOUR = text("README.md").partition("## A tour of five minutes")[2]


@pytest.mark.parametrize("place", ["docs/api.md", "docs/fhir.md"])
def test_every_block_of_shell_works_as_it_stands(demo: Serving, tmp_path: Path, place: str) -> None:
    """One after the other, from the first; no request is refused."""
    found = blocks(place, "sh")
    begin = [] if place == "docs/api.md" else blocks("docs/api.md", "sh")[:1]
    assert found
    script = "\n".join([*begin, *found]).replace("timeout=30000", "timeout=500")
    done = pasted(demo, tmp_path, script)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "urn:plan-history:problem" not in done.stdout


def test_the_tour_of_the_readme_works_as_it_stands(demo: Serving, tmp_path: Path) -> None:
    """As above; and what it opens is there, paused, with its diff."""
    found = re.findall(r"^```sh\n(.*?)^```$", TOUR, re.DOTALL | re.MULTILINE)
    script = "\n".join(SEALED + held if "/v1/ledger" in held else held for held in found)
    done = pasted(demo, tmp_path, script)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert '"before":"active","after":"paused"' in done.stdout.replace(" ", "")
    assert "The first 3 are VERIFIED against the checkpoint you hold." in done.stdout


def test_a_history_is_checked_as_the_guide_says(demo: Serving, tmp_path: Path) -> None:
    """Keys and a checkpoint, an archive, the program that was got elsewhere; then a witness."""
    found = re.findall(r"^ *```sh\n(.*?)^ *```$", text("docs/proofs.md"), re.DOTALL | re.MULTILINE)
    [held, check, witness] = map(textwrap.dedent, found)
    clinic_id = json.loads((demo.home / "demo.json").read_text())["clinic_id"]
    export = f"""
plan-history export --clinic {clinic_id} --everything clinic.zip
cp docs/examples/verify_history.py .
echo "${{auth#*Bearer }}" > token
"""
    begin = blocks("docs/api.md", "sh")[0]
    seen = witness.replace("https://plans.example.org", demo.address)
    script = f"{OURS}\n{begin}\n{SEALED}\n{held}\n{export}\n{check}\n{seen}"
    done = pasted(demo, tmp_path, script)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "are VERIFIED against the checkpoint you hold." in done.stdout
    assert "leaves, cosigned." in done.stdout


def test_a_block_that_is_refused_is_noticed(demo: Serving, tmp_path: Path) -> None:
    """Control: a request that is wrong ends the shell in which it was pasted."""
    begin = blocks("docs/api.md", "sh")[0]
    done = pasted(demo, tmp_path, f'{begin}\ncurl -s $url/v1/plans/none -H "$auth"')
    assert done.returncode != 0


@pytest.fixture(scope="module")
def begun(demo: Serving) -> dict[str, Any]:
    """A Python in which the guide's first block was pasted."""
    held: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAN_HISTORY_HOME", str(demo.home))
        exec(blocks("docs/api.md", "python")[0], held)  # noqa: S102 - what the guide says
    assert held["url"] == demo.address
    return held


def goes_on(block: str, held: dict[str, Any], then: str = "") -> list[Any]:
    """What a block of Python that goes on for ever hands on, until it has handed on three things."""
    seen: list[Any] = []

    def handle(event: Any) -> None:
        seen.append(event)
        if len(seen) == 3:
            raise Enough

    def work() -> None:
        with pytest.raises(Enough):
            exec(f"{block}\n{then}", {**held, "handle": handle})  # noqa: S102 - what the guide says

    running = threading.Thread(target=work)
    running.start()
    running.join(30)
    assert not running.is_alive()
    return seen


def test_the_follower_of_the_guide_follows(begun: dict[str, Any]) -> None:
    """By long poll, from the first entry on."""
    [block] = [held for held in blocks("docs/api.md", "python") if "def follow" in held]
    seen = goes_on(block, begun, "follow(url, token, handle)")
    assert [held["specversion"] for held in seen] == ["1.0"] * 3


def test_the_stream_of_the_guide_streams(begun: dict[str, Any]) -> None:
    """With a public SSE client."""
    [block] = [held for held in blocks("docs/api.md", "python") if "httpx_sse" in held]
    assert len({held["id"] for held in goes_on(block, begun)}) == 3


def test_the_receiver_of_the_guide_receives(begun: dict[str, Any]) -> None:
    """It takes what is signed, once, and nothing else."""
    [block] = [held for held in blocks("docs/api.md", "python") if "standardwebhooks" in held]
    secret, stored = new_secret(), dict[str, Any]()
    own: dict[str, Any] = {
        "__name__": "__main__",
        "secret": shown(secret),
        "known": stored.__contains__,
        "store": lambda event: stored.setdefault(event["id"], event),
    }
    exec(block, own)  # noqa: S102 - what the guide says
    client, body = own["app"].test_client(), json.dumps({"id": "e-1"}).encode()
    headers = signed("e-1", int(time()), body, [secret])
    for _ in ("first", "again"):
        assert client.post("/plan-history", data=body, headers=headers).status_code == 204
    assert list(stored) == ["e-1"]
    headers["webhook-signature"] = signed("e-1", int(time()), body, [new_secret()])[
        "webhook-signature"
    ]
    assert client.post("/plan-history", data=body, headers=headers).status_code == 500
    assert list(stored) == ["e-1"]


def test_the_client_to_copy_works_with_what_is_served(begun: dict[str, Any]) -> None:
    """It opens, records, reads and follows; what is recorded while nobody asks is not missed after "latest"."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs" / "examples")
        example = importlib.import_module("plan_history_client")
    clinic = example.PlanHistory(begun["url"], begun["token"])
    me, mine = clinic.send("GET", "/v1/me")["member_id"], {"client_ref": "c-copied"}
    opened = clinic.open_plan({**OPENING, **mine, "therapist_id": me})
    following = clinic.follow("latest", types=["SetbackNoted"], wait=0.1)
    seen: list[dict[str, Any]] = []
    first = threading.Thread(target=lambda: seen.append(next(following)))
    first.start()
    first.join(1)  # it waits in vain, and begins to wait again
    for number in range(3):
        clinic.record(opened["plan_id"], [note(f"n{number}")], seen=1 + number)
    first.join(20)
    seen += [next(following) for _ in range(2)]
    assert [held["data"]["version"] for held in seen] == [2, 3, 4]
    assert {held["subject"] for held in seen} == {opened["plan_id"]}
    assert next(clinic.follow(seen[1]["id"], wait=0.1))["id"] == seen[2]["id"]
    with pytest.raises(example.ProblemError) as refused:
        clinic.record(opened["plan_id"], [note("late")], seen=1)
    assert refused.value.code == "plan-changed"


def note(what: str) -> dict[str, Any]:
    """An entry."""
    return {"type": "SetbackNoted", "data": {"what": what}}


def test_the_fhir_client_of_the_guide_reads(
    begun: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Plans that are active, with what their goals say."""
    for block in blocks("docs/fhir.md", "python"):
        exec(block, dict(begun))  # noqa: S102 - what the guide says
    assert capsys.readouterr().out.count("\n") >= 1


def test_every_block_of_python_is_tried() -> None:
    """A new one needs a test here."""
    assert len(blocks("docs/api.md", "python")) == 4
    assert len(blocks("docs/fhir.md", "python")) == 1
