"""Every step of the language on a real FreeSWITCH, and agents who log in by phone."""

from __future__ import annotations

import pytest

from tests.e2e.house import House
from tests.sip.sound import loudness, read_wav

pytestmark = pytest.mark.switch

PLUGIN = '''\
"""A department for the test: it counts its visitors."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engine.api import Context, Department, Refused, command, hookimpl


class Base(DeclarativeBase):
    pass


class Visit(Base):
    __tablename__ = "tour_visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[str]


department = Department("tour", tables="tour_", models=Base.metadata)


@command(department, refusals=("too_much",))
def visit(ctx: Context, amount: str) -> int:
    if float(amount) > 1000:
        raise Refused("too_much", limit=1000)
    row = Visit(amount=amount)
    ctx.session.add(row)
    ctx.session.flush()
    return row.id


@hookimpl
def register_department() -> Department:
    return department
'''

FLOW = """\
grammar: 1
flow: tour/main
revision: 1
title: Every step
owner: tests
languages: [en]
start: arrive
on_hangup:
  - journal: {event: left}
blocks:
  arrive:
    - answer
    - record: service
    - silence: 300ms
    - music: {for: 1s}
    - set: {count: "= 1 + 1"}
    - play: Welcome to the tour.
    - say: "You are visitor number {count:count}."
      repeat: 2
    - collect: {into: secret, as: pin, length: 4, prompt: Your PIN please., give_up: bye}
    - pause_recording
    - say: This is not in the recording.
    - pause_recording: off
    - collect: {into: amount, as: money, prompt: How much?, give_up: bye}
    - open_hours: {calendar: always, closed: bye}
    - menu: {prompt: Press star to go on., options: {star: pay, 1: bye}, give_up: bye}
  pay:
    - command: {do: tour.visit, with: {amount: "{amount}"}, into: ticket, refused: {too_much: sorry}, failed: bye}
      id: pay
    - journal: {event: paid, data: {ticket: "{ticket}", amount: "{amount}"}}
    - choose:
        - {when: ticket == 1, go: first}
        - otherwise: bye
  first:
    - confirm: {prompt: You are the first. Again?, yes: again, no: bye, give_up: bye}
  again:
    - set_language: en
    - run: {flow: tour/inner, with: {ticket: "{ticket}"}, into: inner, done: lists}
  lists:
    - set: {rooms: '= ["3105", "3106"]'}
    - say:
        prompt: "Room {room:digits}, {number:count} of {count:count}."
        each: rooms
        as: room
        keys: {stop: star}
        pause: 100ms
        none: bye
    - pick:
        prompt: Which of them?
        each: rooms
        as: room
        entry: "For room {room:digits} press {key:digits}."
        into: room
        none: bye
        give_up: bye
    - tally: {name: rooms, by: {room: "{room}"}, once: "{caller.number}", window: 2h, into: tally}
    - alert: {to: logistics_desk, text: "Room {room}", level: critical, key: "{room}", if: tally.first}
    - rate: {question: tour, prompt: How was it?, into: mark}
    - ticket: {kind: complaint, group: exceptions, data: {room: "{room}"}, once: "{room}", into: opened, failed: bye}
    - journal:
        event: toured
        data: {room: "{room}", times: "{tally.count}", mark: "{mark}", ticket: "{opened.number}"}
    - transfer: {extension: "1999", ring: 5s, unknown: nobody, failed: bye}
    - go: bye
  nobody:
    - journal: {event: nobody}
    - go: bye
  sorry:
    - say: "At most {refusal.limit:count}."
    - go: bye
  bye:
    - play: Goodbye.
    - hangup
"""
INNER = """\
grammar: 1
flow: tour/inner
revision: 1
title: A flow in a flow
owner: tests
languages: [en]
params: [ticket]
outcomes: [done]
start: say
blocks:
  say:
    - say: "Ticket {ticket:count}."
    - return: done
"""


def test_a_tour_of_every_step(house: House) -> None:
    house.add_department(
        "tour", "8100", {"plugin.py": PLUGIN, "flows/main.yaml": FLOW, "flows/inner.yaml": INNER}
    )
    house.start("--switch", "freeswitch")
    caller = house.outside().dial("8100").wait_answered(10)

    def collecting(step: str) -> str:
        call = house.wait_step(step)
        house.wait_for(
            lambda: "play_and_get_digits" in house.switch(f"uuid_getvar {call['id']} current_application"),
            f"{step} does not collect",
        )
        house.clock.sleep(0.3)
        return str(call["id"])

    call = collecting("arrive[8] collect")
    caller.press("4711#")
    collecting("arrive[12] collect")
    assert "4711" not in house.switch(f"uuid_dump {call}")
    caller.press("12*50#")
    collecting("menu")
    caller.press("*")
    collecting("confirm")
    caller.press("1")
    collecting("pick")
    caller.press("2")
    collecting("rate")
    caller.press("4")
    caller.wait_over(30.0)
    (cdr,) = house.wait_for(lambda: house.get("/cdrs"), "no CDR")
    assert (cdr["outcome"], cdr["flow"], cdr["last_flow"]) == ("served", "tour/main", "tour/main")
    journal = {row["kind"]: row for row in house.cli("call", "show", call)["journal"]}
    assert journal["flow.paid"]["data"] == {"ticket": 1, "amount": "12.50"}
    toured = dict(journal["flow.toured"]["data"])
    assert toured.pop("ticket")
    assert toured == {"room": "3106", "times": 1, "mark": 4}
    assert "flow.nobody" in journal
    (recording,) = house.wait_for(
        lambda: [r for r in house.cli("recording", "list") if r["seconds"]], "no recording"
    )
    assert len(recording["masks"]) == 2  # the PIN, and what the flow said to pause
    left, right = read_wav(house.home / "var" / "recordings" / recording["path"])
    assert max(loudness(left), loudness(right)) > 100
    written = house.output() + "".join(
        path.read_text(errors="replace") for path in (house.home / "var" / "freeswitch").rglob("*.log")
    )
    assert "4711" not in written
    assert b"4711" not in (house.home / "var" / "insideline.db").read_bytes()


def test_an_agent_logs_in_and_pauses_by_phone(house: House) -> None:
    house.start("--switch", "freeswitch")
    desk = house.desk("1001")
    house.command("agent", "logout", "8012")
    call = desk.dial("*11").wait_answered(10)

    def collecting(step: str) -> None:
        live = house.wait_step(step)
        house.wait_for(
            lambda: "play_and_get_digits" in house.switch(f"uuid_getvar {live['id']} current_application"),
            f"{step} does not collect",
        )
        house.clock.sleep(0.3)

    collecting("number[1] collect")
    call.press("8012#")
    collecting("code[1] collect")
    call.press("4812#")
    call.wait_over(30.0)
    states = {agent["id"]: agent["state"] for agent in house.cli("agent", "list")}
    assert states["8012"] == "ready"
    assert "4812" not in house.output()
