"""What the displays of the agents' phones show, by the UPDATEs that a real FreeSWITCH sends: never the number of a
caller whose identity is deferred, whatever bridges its talk goes through; of any other caller it does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.test_talks import FLOW, state
from tests.sip.phone import Telephone

pytestmark = pytest.mark.switch

OPEN, HIDDEN = "13802880031", "13802880047"
MAKER = "Yealink SIP-T46U 108.86.0.70"  # one of those whose displays the switch updates


def through_a_talk(
    house: House, number: str, dialled: str, one_phone: Telephone, two_phone: Telephone
) -> Any:
    """Hold, resume, a consultation, three together, and a supervisor who takes the caller over."""
    for agent in ("8012", "8013"):
        house.wait_for(lambda a=agent: state(house, a) in ("ready", "wrap_up"), f"{agent} is not there", 30)
    house.post("/agents/8013/pause", reason="meeting")
    house.post("/agents/8012/ready")
    caller = house.outside(number).dial(dialled, name="Wen Caller").wait_answered(10)
    one = one_phone.wait_ring(20)
    one.answer()
    house.wait_state("talking")
    house.clock.sleep(1)
    call = house.calls()[0]["id"]

    def talk(verb: str, target: str = "") -> None:
        house.post(f"/calls/{call}/talk/{verb}", target=target)
        house.clock.sleep(0.7)

    talk("hold")
    talk("resume")
    house.post("/agents/8013/ready")
    talk("consult", "agent:8013")
    two = two_phone.wait_ring(10)
    two.answer()
    house.wait_for(lambda: house.get(f"/calls/{call}/talk").get("talk") == "consulting", "no consultation", 5)
    house.clock.sleep(1)
    talk("resume")
    talk("conference")
    talk("back")
    house.post("/agents/8013/ready")
    house.post("/supervisions/8012", by="8013", phone="1002", mode="listen")
    ear = two_phone.wait_ring(10)
    ear.answer()
    house.clock.sleep(1)
    house.post("/supervisions/8012/take_over", by="8013")
    house.clock.sleep(1.5)
    caller.hang_up()
    house.wait_for(lambda: not house.calls(), "the call did not end")
    for agent in ("8012", "8013"):
        house.post(f"/agents/{agent}/ready")


def test_displays(house: House) -> None:
    house.add_department("talks", "8055", {"flows/main.yaml": FLOW})
    plan = house.home / "dialplans" / "main.yaml"
    text = plan.read_text(encoding="utf-8")
    more = '  - {to: "8056", flow: talks/main, identity: deferred, language: en}\n'
    plan.write_text(text.replace("numbers:\n", f"numbers:\n{more}", 1), encoding="utf-8")
    house.start("--switch", "freeswitch")
    seen: dict[str, list[bytes]] = {}
    phones = []
    for extension in ("1001", "1002"):
        phone = house.desk(extension)
        phone.agent = MAKER
        taken, take = seen.setdefault(extension, []), phone._request
        phone._request = lambda message, taken=taken, take=take: (  # type: ignore[method-assign]
            taken.append(message.encode()),
            take(message),
        )
        phones.append(phone)
    through_a_talk(house, OPEN, "8055", *phones)
    updates = [len(phone.display) for phone in phones]
    print("FIGURE updates of an open number:", updates)
    assert any(OPEN in text for phone in phones for text in phone.display), "the switch updates no display"
    for phone in phones:
        phone.display.clear()
    for taken in seen.values():
        taken.clear()
    through_a_talk(house, HIDDEN, "8056", *phones)
    print("FIGURE updates of a hidden number:", [len(phone.display) for phone in phones])
    for extension, taken in seen.items():
        sent = b"".join(taken)
        assert b"INVITE" in sent
        assert HIDDEN.encode() not in sent, f"the display of {extension} was told the number"
        assert b"Wen Caller" not in sent, f"the display of {extension} was told the name"
    assert house.stop() == 0
