"""The fax step in a running flow, and the fax: sent, tried again, given up, taken up by another engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import NotFound, WrongState
from engine.switch.simulator.machine import Machine
from engine.testing.home import Home
from tests.calls.test_adoption import killed
from tests.flows.shop import Shop

pytest.importorskip("PIL")

TRUNKS = """\
grammar: 1
trunks: [{name: pstn, host: 192.0.2.20}]
outbound: {allow: ["+8620"], ours: ["+8620888866"]}
"""
ENGINE = """\
grammar: 1
languages: [en]
fax: {attempts: 3, again: 1m}
"""


def blocks(to: str = "02038880000") -> str:
    return f"""
greet:
  - answer
  - set: {{article: "4711"}}
  - fax: {{document: "Order {{article:digits}} by {{who}}.", values: {{who: Li Na}}, to: "{to}", into: fax,
      failed: sorry}}
  - {{journal: {{event: note, data: {{pages: "{{fax.pages}}"}}}}}}
  - play: It is on its way.
  - hangup
sorry:
  - play: No fax.
  - hangup
"""


@pytest.fixture
def office(home: Home, shop: Shop) -> Any:
    def make(to: str = "02038880000") -> Any:
        home.write("conf/trunks.yaml", TRUNKS).write("conf/engine.yaml", ENGINE)
        return shop(blocks(to))

    return make


def queued(centre: Any) -> Any:
    centre.caller().dials("8000").hears("It is on its way.")
    return faxes(centre)[0]


def faxes(centre: Any) -> Any:
    return centre.app.faxes.list()


def machine(centre: Any, **more: Any) -> None:
    """What answers the number from now on."""
    centre.simulator.switch.calls_to, made = None, centre.simulator._calls_to

    def calls_to(*where: str) -> Any:
        line = made(*where)
        line.fax = Machine(**more)
        return line

    centre.simulator.switch.calls_to = calls_to


def test_a_fax_is_drawn_sent_and_accounted_for(office: Any) -> None:
    centre = office()
    fax = queued(centre)
    assert fax.state in ("queued", "dialling")
    centre.clock.advance("2m")
    (fax,) = faxes(centre)
    assert (fax.state, fax.pages, fax.sent, fax.attempts, fax.code) == ("sent", 1, 1, 1, 0)
    assert (fax.number, fax.flow, fax.station) == ("02038880000", "shop/main", "02000000000")
    assert [line.number for line in centre.simulator.lines] == ["+862038880000"]
    kinds = [row.kind for row in centre.journal(kind="fax.")]
    assert kinds == ["fax.queued", "fax.dialling", "fax.sent"]
    folder = centre.installation.home / "var" / "faxes"
    assert not list(folder.rglob("*.tif"))
    assert centre.app.faxes.show(fax.id[:5]).id == fax.id
    with pytest.raises(WrongState):
        centre.app.faxes.retry(fax.id)
    with pytest.raises(NotFound):
        centre.app.faxes.show("nothing")


def test_a_busy_machine_is_rung_again_later_and_later_and_given_up_at_last(office: Any) -> None:
    centre = office()
    centre.simulator.line_answers = lambda number: None
    queued(centre)
    for pause in (1, 60, 120):
        centre.clock.advance(pause)
        centre.clock.advance(1)
        centre.simulator.lines[-1].reject("USER_BUSY")
        centre.clock.advance(0.5)
    assert len(centre.simulator.lines) == 3
    (fax,) = faxes(centre)
    assert (fax.state, fax.result, fax.attempts) == ("failed", "USER_BUSY", 3)
    assert [row.kind for row in centre.journal(kind="fax.")][-1] == "fax.failed"
    # A person lets it be sent once more.
    centre.simulator.line_answers = lambda number: 2.0
    centre.app.faxes.retry(fax.id)
    centre.clock.advance("2m")
    assert faxes(centre)[0].state == "sent"


def test_a_number_that_does_not_exist_is_not_rung_again(office: Any) -> None:
    centre = office()
    centre.simulator.line_answers = lambda number: None
    queued(centre)
    centre.clock.advance(1)
    centre.simulator.lines[-1].reject("UNALLOCATED_NUMBER")
    centre.clock.advance("10m")
    assert [fax.state for fax in faxes(centre)] == ["failed"]
    assert len(centre.simulator.lines) == 1


def test_a_transmission_that_breaks_off_is_tried_again(office: Any) -> None:
    centre = office()
    machine(centre, takes=0)
    queued(centre)
    centre.clock.advance(20)
    (fax,) = faxes(centre)
    assert (fax.state, fax.attempts, fax.code) == ("queued", 1, 49)
    machine(centre)
    centre.clock.advance("3m")
    assert faxes(centre)[0].state == "sent"


def test_a_person_who_answers_is_no_machine(office: Any) -> None:
    centre = office()
    machine(centre, silent=True)
    queued(centre)
    centre.clock.advance("90s")
    (fax,) = faxes(centre)
    assert (fax.state, fax.code) == ("queued", 2)


@pytest.mark.parametrize("number", ["0900123456", "02088886612", "nobody"])
def test_a_number_that_may_not_be_rung_goes_the_failed_way(office: Any, number: str) -> None:
    centre = office(number)
    centre.caller().dials("8000").hears("No fax.")
    assert not faxes(centre)


def test_a_switch_without_the_module_is_told_of_and_the_step_fails(home: Home, office: Any) -> None:
    centre = office()
    centre.app.faxes._able = None
    centre.simulator.switch.modules.discard("mod_spandsp")
    centre.simulator.switch.lacks.add("mod_spandsp")
    killed(centre)
    assert "mod_spandsp" in centre.app.faxes.fault
    assert "fax.switch_cannot" in centre.logged.getvalue()
    centre.caller().dials("8000").hears("No fax.")


def test_a_document_that_no_font_can_write_fails(home: Home, office: Any, tmp_path: Path) -> None:
    home.write("conf/trunks.yaml", TRUNKS)
    centre = office()
    centre.app.faxes._settings = centre.app.faxes._settings.model_copy(update={"font": tmp_path / "none.ttf"})
    centre.caller().dials("8000").hears("No fax.")


@pytest.mark.parametrize("moment", [1, 2.5, 5, 20])
def test_the_engine_is_killed_and_the_fax_is_sent_once(office: Any, moment: float) -> None:
    centre = office()
    queued(centre)
    centre.clock.advance(moment)
    killed(centre, 2)
    centre.clock.advance("2m")
    assert [fax.state for fax in faxes(centre)] == ["sent"]
    assert len(centre.simulator.lines) == 1, [(r.kind, dict(r.data)) for r in centre.journal(kind="fax.")]


def test_a_fax_that_ended_while_no_engine_was_there_is_tried_again(office: Any) -> None:
    centre = office()
    queued(centre)
    centre.clock.advance(5)
    killed(centre, 60)
    (fax,) = faxes(centre)
    assert (fax.state, fax.attempts) == ("queued", 1)
    centre.clock.advance("3m")
    assert faxes(centre)[0].state == "sent"
