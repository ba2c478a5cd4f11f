"""Has the conversation of an example of a kind of step: through the doors that callers use, as all tests do."""

from __future__ import annotations

from collections.abc import Callable

from engine.flows.examples import Example
from engine.testing.centre import Caller, Centre
from engine.testing.home import Home

NUMBER = "8000"
FLOW = "example/main"


def example_home(home: Home, example: Example) -> Home:
    """The installation that the example is in."""
    for path, text in example.files.items():
        home.write(path, text)
    if example.prompts:
        home.prompts(**example.prompts)
    home.flow(FLOW, example.flow)
    return home.number(NUMBER, FLOW, example.rule)


def converse(centre: Centre, example: Example) -> Caller:
    """The conversation, line by line. Fails with the transcript where it goes another way."""
    caller = centre.caller().dials(NUMBER)
    sayings: dict[str, Callable[[str], object]] = {
        "hears": lambda text: _hears(caller, text),
        "presses": lambda keys: caller.presses(keys.replace("star", "*").replace("hash", "#")),
        "says": lambda length: caller.says(length),
        "hears_beep": lambda _: caller.hears_beep(),
        "hears_music": lambda _: caller.hears_music(),
        "talks_to": lambda agent: _talks_to(centre, caller, agent),
        "waits": lambda length: centre.clock.advance(length),
        "hangs_up": lambda _: caller.hangs_up(),
        "writes": lambda kind: _writes(centre, caller, kind),
        "ends": lambda cause: _ends(caller, cause),
    }
    for word, said in example.talk:
        sayings[word](said)
    return caller


def _hears(caller: Caller, text: str) -> None:
    """``Your ticket is …`` is the beginning of what is heard."""
    if not text.endswith("…"):
        caller.hears(text)
        return
    heard = caller.hears_next().text
    assert heard.startswith(text.removesuffix("…")), f"the caller heard {heard!r}, not {text!r}"


def _talks_to(centre: Centre, caller: Caller, agent: str) -> None:
    who = centre.agent(agent).ready().is_offered(caller)
    who.answers()
    caller.talks_to(who)
    who.hangs_up()


def _writes(centre: Centre, caller: Caller, kind: str) -> None:
    centre.clock.advance(1)
    kinds = [entry.kind for entry in centre.journal(caller)]
    assert kind in kinds, f"the journal has {kinds}, not {kind}"


def _ends(caller: Caller, cause: str) -> None:
    ended = caller.ended
    assert ended is not None, "the call goes on"
    assert not cause or ended == cause, f"the call ended with {ended}, not {cause}"
