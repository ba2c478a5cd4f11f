"""Faxes on a real FreeSWITCH: sent over SIP to a second leg of itself that receives, and the pages compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.esl import commands
from engine.records.fax_pages import HINT, WIDTH, find_font, missing, write_pages
from engine.switch.probe import ask
from tests.e2e.house import House
from tests.switch.real import start_real_switch

pytestmark = pytest.mark.switch

FLOW = """\
grammar: 1
flow: papers/main
revision: 1
title: Papers
owner: tests
languages: [zh-CN]
start: arrive
blocks:
  arrive:
    - answer
    - set: {waybill: "44018011"}
    - fax: {document: papers/waybill, to: 02038889999, title: 运单, into: fax, failed: sorry}
    - journal: {event: queued, data: {fax: "{fax.id}", pages: "{fax.pages}"}}
    - play: bye
    - hangup
  sorry:
    - play: system_trouble
    - hangup
"""
TEXT = (
    "粤达集团 运单 {waybill:digits}¶收货人：李娜，广东省广州市天河区。¶Shipment 44018011, 3 pieces, insured."
)
PROMPTS = f'waybill: "{TEXT}"\n'


class FarEnd:
    """Another FreeSWITCH, which receives what calls it."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.called: set[str] = set()
        self.freeswitch = start_real_switch(folder, house.clock).freeswitch
        self.say("load mod_spandsp")

    @property
    def port(self) -> int:
        return self.freeswitch.settings.trunks.port

    def say(self, line: str) -> str:
        made = self.freeswitch
        question = [commands.raw_api(line)]
        return ask(made.host, made.port, made.password, question, clock=self.house.clock, within=10.0)[0]

    def channel(self) -> str:
        """A channel that was not given out before: the switch shows one that was killed a little longer."""
        rows = json.loads(self.say("show channels as json")).get("rows", [])
        return next((str(row["uuid"]) for row in rows if row["uuid"] not in self.called), "")

    def receive(self, file: Path) -> str:
        """Let the call that comes receive into a file; its channel."""
        uuid: str = self.house.wait_for(self.channel, "the far end was not called", 20)
        self.called.add(uuid)
        self.say(f"sched_del {uuid}")
        assert self.say(f"uuid_transfer {uuid} answer,rxfax:{file},hangup inline").startswith("+OK")
        return uuid


@pytest.fixture
def far_end(house: House, tmp_path: Path) -> Iterator[FarEnd]:
    """What the trunk of the house leads to."""
    made = FarEnd(house, tmp_path / "far")
    house.add_department("papers", "8066", {"flows/main.yaml": FLOW, "prompts/zh-CN.yaml": PROMPTS})
    (house.home / "conf" / "trunks.yaml").write_text(
        "grammar: 1\n"
        f"trunks: [{{name: pstn, host: 127.0.0.1, port: {made.port}}}]\n"
        'outbound: {allow: ["+8620"], caller: "+862088886600"}\n',
        encoding="utf-8",
    )
    engine = house.home / "conf" / "engine.yaml"
    engine.write_text(
        engine.read_text(encoding="utf-8") + "fax: {again: 3s, attempts: 3}\n", encoding="utf-8"
    )
    yield made
    made.freeswitch.stop()


def test_a_fax_goes_out_is_tried_again_and_arrives_dot_for_dot(house: House, far_end: FarEnd) -> None:
    image = pytest.importorskip("PIL.Image")
    if lacks := missing("运单", find_font(None)):
        pytest.skip(f"no font here has {lacks}: {HINT}")
    house.start("--switch", "freeswitch")
    caller = house.outside().dial("8066").wait_answered(10)
    # The first attempt: the far end hangs up in the middle.
    leg = far_end.receive(house.home / "var" / "first.tif")
    house.clock.sleep(4.0)
    far_end.say(f"uuid_kill {leg}")
    house.wait_for(
        lambda: [f for f in house.get("/faxes") if f["state"] == "queued" and f["attempts"] == 1],
        "it is not tried again",
        15,
    )
    broken = house.get("/faxes")[0]
    print("FIGURE broken off:", broken["code"], broken["result"])
    # The second: it arrives.
    file = house.home / "var" / "second.tif"
    far_end.receive(file)
    began = house.clock.monotonic()
    sent = house.wait_for(
        lambda: next((f for f in house.get("/faxes") if f["state"] == "sent"), None), "it was not sent", 90
    )
    print(f"FIGURE one page took {house.clock.monotonic() - began:.1f} s:", sent["code"], sent["result"])
    assert (sent["pages"], sent["sent"], sent["attempts"]) == (1, 1, 2)
    wanted = house.home / "var" / "wanted.tif"
    text = TEXT.replace("¶", "\n").replace("{waybill:digits}", "44018011")
    write_pages(text, find_font(None), wanted)
    house.wait_for(lambda: file.exists() and file.stat().st_size, "nothing was received", 10)
    got, drawn = image.open(file).convert("1"), image.open(wanted).convert("1")
    print("FIGURE received", got.size, got.info, "sent", drawn.size)
    assert got.width == WIDTH
    # The switch puts a line of its own above the page, which moves it down by 32 rows; below it no dot differs.
    moved = 32
    page = (0, 100, WIDTH, drawn.height - moved)
    arrived = got.crop((0, 100 + moved, WIDTH, drawn.height))
    assert arrived.tobytes() == drawn.crop(page).tobytes()
    assert drawn.crop(page).convert("L").getextrema() == (0, 255)
    shown = house.cli("fax", "list")
    assert [one["state"] for one in shown] == ["sent"]
    assert "sent" in house.command("fax", "show", sent["id"][:6])
    caller.hang_up()
    assert house.stop() == 0
