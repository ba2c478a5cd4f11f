"""A small installation in a folder of a test's own, made of a few lines of YAML.

::

    home = Home(tmp_path / "home")
    home.flow("shop/main", '''
        greet:
          - answer
          - play: Good morning.
          - hangup
    ''')
    home.number("8000", "shop/main")
    centre = centre_of(home)
    centre.caller().dials("8000").hears("Good morning.")

It speaks English, has one queue (``desk``) and two agents (``201`` and ``202``, on the phones ``1001`` and
``1002``); any file may be written over.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent, indent

_PROMPTS = {
    "silent": "We did not get a key.",
    "wrong": "That is not right.",
    "system_trouble": "We are sorry, something is wrong on our side.",
    "all_busy": "All our agents are busy.",
    "recorded_notice": "This call is recorded.",
    "position": "You are number {position:count} in line.",
    "leave_message": "Please leave a message after the tone.",
    "clip_review": "To hear it press one, to say it again press two, to accept it press three.",
    "knowledge_which": "What do you want to know?",
    "knowledge_entry": "'{answer.title} Press {key:digits}.'",
    "knowledge_solved": "Did that solve it? Yes one, no two, again star.",
    "list_more": "For more, press nine.",
    "list_back": "To go back, press zero.",
    "messages_count": "You have {new:count} new messages, {old:count} old ones.",
    "messages_entry": "Message {number:count}, left {left:time}.",
    "messages_keys": "Again one, next two, delete three, keep four, star to end.",
    "messages_deleted": "Deleted.",
    "messages_end": "No more messages.",
}

_ENGINE = """\
grammar: 1
languages: [en]
recording:
  policies:
    service: {share: 100%, keep: 10d}
"""

_QUEUES = """\
grammar: 1
queues:
  desk: {title: {en: Desk}, offer: 20s, wrap_up: 15s, longest: 10m, length: 50}
"""

_AGENTS = """\
grammar: 1
agents:
  201: {name: Agent One, phone: 1001, languages: [en], queues: [desk], login: auto}
  202: {name: Agent Two, phone: 1002, languages: [en], queues: [desk], login: auto}
"""

_CALENDARS = """\
grammar: 1
calendars:
  always: {timezone: Asia/Shanghai, week: {mon-sun: "00:00-24:00"}}
"""

_UNKNOWN = """
sorry:
  - answer
  - play: There is no such number.
  - hangup
"""

_LOST = """
sorry:
  - answer
  - play: We lost your place.
  - hangup
"""


class Home:
    """An installation's folder; every method writes one file of it and answers the home itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers: list[str] = []
        self.write("conf/engine.yaml", _ENGINE)
        self.write("conf/queues.yaml", _QUEUES)
        self.write("conf/agents.yaml", _AGENTS)
        self.write("conf/calendars.yaml", _CALENDARS)
        self.write("conf/trunks.yaml", "grammar: 1\ntrunks: []\n")
        self.prompts(**_PROMPTS)
        self.flow("reception/unknown_number", _UNKNOWN)
        self.flow("reception/lost_place", _LOST)
        self._dialplan()

    def write(self, path: str, text: str) -> Home:
        """Any file of the installation, as it is."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return self

    def flow(self, name: str, blocks: str, *, head: str = "", languages: str = "en") -> Home:
        """The flow ``department/stem``: its blocks (the first one is where it starts), and more lines of its head."""
        department, _, stem = name.partition("/")
        blocks = dedent(blocks).strip("\n")
        start = re.match(r"\s*([a-z_0-9]+):", blocks)
        text = (
            f"grammar: 1\nflow: {name}\nrevision: 1\ntitle: A flow of a test\nlanguages: [{languages}]\n"
            f"start: {start[1] if start else 'nowhere'}\n{dedent(head).strip()}\nblocks:\n{indent(blocks, '  ')}\n"
        )
        return self.write(f"plugins/{department}/flows/{stem}.yaml", text)

    def number(self, dialled: str, flow: str, more: str = "") -> Home:
        """A number of the dialplan and its flow; ``more`` are further keys of the rule (``record: never``)."""
        rule = f'{{to: "{dialled}", flow: {flow}{", " + more if more else ""}}}'
        return self.rule(rule)

    def rule(self, rule: str) -> Home:
        """A rule of the dialplan, as YAML."""
        self._numbers.append(rule)
        return self._dialplan()

    def prompts(self, **texts: str) -> Home:
        """The common catalogue, whole."""
        lines = "".join(f"{key}: {text}\n" for key, text in {**_PROMPTS, **texts}.items())
        return self.write("prompts/en.yaml", lines)

    def plugin(self, department: str, source: str) -> Home:
        """A department's ``plugin.py``."""
        return self.write(f"plugins/{department}/plugin.py", dedent(source))

    def _dialplan(self) -> Home:
        numbers = "".join(f"  - {rule}\n" for rule in self._numbers) or "  []\n"
        return self.write(
            "dialplans/main.yaml",
            f"grammar: 1\ndialplan: main\nnumbers:\n{numbers}otherwise: {{flow: reception/unknown_number}}\n",
        )


__all__ = ["Home"]
