"""People who call the employees' line: one way for each of its tests to get where it begins."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api import Refused

LINE = "8003"
NUMBER = "+8613902887766"  # nobody's of the sample
AGENTS = ("8041", "8042", "8043", "8044", "8045")
PINS = {"30011": "730115", "30012": "730128", "30013": "730136", "30014": "730147", "30018": "730184"}


class Line:
    """The line, with short words for what its callers do."""

    def __init__(self, centre: Any) -> None:
        self.centre = centre

    def main(self, language: str = "zh-CN", number: str = NUMBER) -> Any:
        """A caller who hears the main menu."""
        caller = self.centre.caller(number=number).dials(LINE)
        caller.hears("choose_language")
        caller.presses("1" if language == "zh-CN" else "2")
        return caller.hears("hr/main_menu")

    def employee(self, employee: str = "30011", language: str = "zh-CN", number: str = NUMBER) -> Any:
        """An employee who said who it is, and hears the menu."""
        caller = self.main(language, number).presses("1")
        self.signs_in(caller, employee)
        caller.hears("recorded_notice")
        return caller.hears("hr/employee_menu")

    def signs_in(self, caller: Any, employee: str, pin: str = "") -> Any:
        caller.hears("hr/enter_number").presses(f"{employee}#")
        return caller.hears("hr/enter_pin").presses(f"{pin or PINS[employee]}#")

    def nobody(self, language: str = "zh-CN", number: str = NUMBER) -> Any:
        """A caller who gives feedback without a name, and is asked which branch."""
        caller = self.main(language, number).presses("2")
        caller.hears("hr/feedback_how").presses("1")
        caller.hears("hr/nobody_knows")
        return caller.hears("hr/which_branch")

    def picks_branch(self, caller: Any, key: str, count: int = 7) -> Any:
        """All branches are said, and one is chosen."""
        for _ in range(count):
            caller.hears("hr/branch_entry")
        return caller.presses(key)

    def files(self, caller: Any, *, key: str = "2", topic: str = "1", says: str = "4s") -> str:
        """The rest of a feedback; its code."""
        self.picks_branch(caller, key)
        caller.hears("hr/which_topic").presses(topic)
        caller.hears("hr/say_what_happened").says(says).hears_beep()
        caller.hears("clip_review").presses("3")
        caller.hears("hr/filed")
        code = str(caller.hears("hr/your_code").values["filed.code"])
        caller.hears("hr/your_code")
        caller.hears("hr/after_code")
        return code


@pytest.fixture
def line(centre: Any) -> Line:
    """The line of the sample company, Monday at nine; the desk's agents are away."""
    for agent in AGENTS:
        centre.agent(agent).logs_out()
    return Line(centre)


class Desk:
    """The desk's commands, as `insideline hr …` runs them."""

    def __init__(self, centre: Any) -> None:
        self._centre = centre
        self._commands = centre.installation.host.commands["hr"]

    def runs(self, name: str, **given: Any) -> Any:
        """What `insideline hr NAME` answers."""
        one = self._commands[name]

        def run(ctx: Any) -> Any:
            answer = one.run(ctx, **given)
            return answer if isinstance(answer, str) else list(answer)

        done = self._centre.app.departments.in_context("hr", f"hr {name}", run, 10.0, writes=True)
        self._centre.clock.advance("2s")
        return done

    def refuses(self, reason: str, name: str, **given: Any) -> None:
        with pytest.raises(Refused) as refused:
            self.runs(name, **given)
        assert refused.value.reason == reason

    def report(self, name: str, **given: Any) -> list[dict[str, Any]]:
        """The rows of `insideline report NAME`."""
        one = self._centre.installation.host.reports[name]
        rows = self._centre.app.departments.in_context(
            "hr", name, lambda ctx: list(one.rows(ctx, **given)), 10.0
        )
        return [dict(zip(one.columns, row, strict=True)) for row in rows]


@pytest.fixture
def desk(centre: Any) -> Desk:
    """What the desk does at the command line."""
    return Desk(centre)
