"""Faxes on a real FreeSWITCH: sent over SIP to a second leg of itself that receives, and the pages compared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.records.fax_pages import WIDTH, find_font, write_pages
from tests.e2e.house import House

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
MACHINE = """\
grammar: 1
flow: papers/machine
revision: 1
title: The far end, until it is told to receive
owner: tests
languages: [zh-CN]
start: wait
blocks:
  wait:
    - silence: 60s
    - hangup
"""
TEXT = "粤达集团 运单 {waybill:digits}\\n收货人：李娜，广东省广州市天河区。\\nShipment 44018011, 3 pieces, insured."
PROMPTS = f'waybill: "{TEXT}"\n'


def channels(house: House) -> list[dict[str, str]]:
    return list(json.loads(house.switch("show channels as json")).get("rows", []))


def receive(house: House, name: str) -> Any:
    """Let the far end, which was just called, receive into a file."""
    file = house.home / "var" / name
    row = house.wait_for(
        lambda: next(
            (r for r in channels(house) if r["direction"] == "inbound" and "38889999" in r["dest"]), None
        ),
        "the far end was not called",
        20,
    )
    house.clock.sleep(0.3)
    house.switch(f"uuid_transfer {row['uuid']} answer,rxfax:{file},hangup inline")
    return file


@pytest.fixture
def office(house: House) -> House:
    """A house whose trunk leads back to itself, and whose unknown numbers wait for what the test wants of them."""
    house.add_department(
        "papers",
        "8066",
        {"flows/main.yaml": FLOW, "flows/machine.yaml": MACHINE, "prompts/zh-CN.yaml": PROMPTS},
    )
    plan = house.home / "dialplans" / "main.yaml"
    lines = plan.read_text(encoding="utf-8").splitlines()
    lines = ["otherwise: {flow: papers/machine}" if line.startswith("otherwise:") else line for line in lines]
    plan.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (house.home / "conf" / "trunks.yaml").write_text(
        "grammar: 1\n"
        f"trunks: [{{name: pstn, host: 127.0.0.1, port: {house.ports['trunks']}}}]\n"
        'outbound: {allow: ["+8620"], caller: "+862088886600"}\n',
        encoding="utf-8",
    )
    engine = house.home / "conf" / "engine.yaml"
    engine.write_text(
        engine.read_text(encoding="utf-8") + "fax: {again: 6s, attempts: 3}\n", encoding="utf-8"
    )
    return house


def test_a_fax_goes_out_is_tried_again_and_arrives_dot_for_dot(office: House) -> None:
    image = pytest.importorskip("PIL.Image")
    house = office
    house.start("--switch", "freeswitch")
    caller = house.outside().dial("8066").wait_answered(10)
    # The first attempt: the far end hangs up in the middle.
    first = receive(house, "first.tif")
    began = house.clock.monotonic()
    house.clock.sleep(4.0)
    row = next(r for r in channels(house) if r["direction"] == "inbound" and "38889999" in r["dest"])
    house.switch(f"uuid_kill {row['uuid']}")
    house.wait_for(
        lambda: [f for f in house.get("/faxes") if f["state"] == "queued" and f["attempts"] == 1],
        "it is not tried again",
        15,
    )
    broken = house.get("/faxes")[0]
    print("FIGURE broken off:", broken["code"], broken["result"])
    # The second: it arrives.
    file = receive(house, "second.tif")
    began = house.clock.monotonic()
    sent = house.wait_for(
        lambda: next((f for f in house.get("/faxes") if f["state"] == "sent"), None), "it was not sent", 90
    )
    print(f"FIGURE one page took {house.clock.monotonic() - began:.1f} s:", sent["code"], sent["result"])
    assert (sent["pages"], sent["sent"], sent["attempts"]) == (1, 1, 2)
    wanted = house.home / "var" / "wanted.tif"
    text = TEXT.replace("\\n", "\n").replace("{waybill:digits}", "44018011")
    write_pages(text, find_font(None), wanted)
    house.wait_for(lambda: file.exists() and file.stat().st_size, "nothing was received", 10)
    got, drawn = image.open(file).convert("1"), image.open(wanted).convert("1")
    print("FIGURE received", got.size, got.info, "sent", drawn.size)
    assert got.width == WIDTH
    # The switch prints a line of its own at the top (it lies over or before the page); below it no dot differs.
    shift = got.height - drawn.height
    part = (0, 100, WIDTH, min(drawn.height, got.height - max(0, shift)) - 10)
    below = (part[0], part[1] + max(0, shift), part[2], part[3] + max(0, shift))
    assert got.crop(below).tobytes() == drawn.crop(part).tobytes()
    assert drawn.crop(part).convert("L").getextrema() == (0, 255)
    shown = house.cli("fax", "list")
    assert [one["state"] for one in shown] == ["sent"]
    assert "sent" in house.command("fax", "show", sent["id"][:6])
    caller.hang_up()
    assert not first.exists() or first.stat().st_size >= 0
    assert house.stop() == 0
