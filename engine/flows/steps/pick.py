"""``pick``: a menu over a list (dealers, articles, addresses): each entry is said with its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from engine.esl.commands import Digits
from engine.flows.asking import SILENT, WRONG, Asked, Given, ask, say_wrong, valued
from engine.flows.expressions import Expr
from engine.flows.moves import Go
from engine.flows.private import Handed, chosen, entry_mark
from engine.flows.step import Ask, Into
from engine.flows.steps.say import check_list, entries_of
from engine.flows.types import ANY, DIGITS, Type
from engine.schema.fields import Flag, Name, PromptRef, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run
    from engine.flows.step import Types

MOST: Final = 9  # entries that the keys 1 to 9 are enough for
PAGE: Final = 8  # of a longer list: 9 is for more, 0 to go back
MORE, BACK, REPEAT = "9", "0", "*"
MORE_PROMPT, BACK_PROMPT = "list_more", "list_back"


class Pick(Ask):
    """Up to nine entries have the keys 1 to 9. Of a longer list eight are said at a time: 9 leads to those that
    follow, 0 back (the common prompts ``list_more`` and ``list_back`` say so). Star says the page again. A key counts
    before its entry was said."""

    kind = "pick"
    lends = frozenset({"key"})

    each: Expr
    """An expression that gives the list."""
    as_: Name = Field(alias="as")
    """What `entry` calls an entry."""
    entry: PromptRef
    """Says one entry: it knows it by the name that `as` gives, and its key as `key`."""
    into: Into
    """Gets the entry that was chosen."""
    none: Target
    """Where an empty list leads."""
    alone: Flag = False
    """Take the only entry of a list of one without a question."""

    def lent(self) -> frozenset[str]:
        return frozenset({self.as_, "key"})

    def lent_types(self, types: Types) -> Mapping[str, Type]:
        return {self.as_: types.expression(self.each).item or ANY, "key": DIGITS}

    def born_type(self, name: str, types: Types) -> Type:
        return types.expression(self.each).item or ANY

    def check_types(self, types: Types) -> None:
        check_list(self.each, types)

    def run(self, run: Run) -> Move:
        entries = entries_of(self.each.evaluate(run.scope))
        if not entries:
            return Go(self.none, way="none")
        number = 0
        if len(entries) > 1 or not self.alone:
            picked = self._chosen(run, entries)
            if picked is None:
                return Go(self.give_up, way="give_up")
            number = picked
            run.call.journal("pick.chosen", step=self.label, number=number + 1, of=len(entries))
        run.bear(self.into, entries[number], chosen(run, self.each, number, entries[number]))
        return None

    def _chosen(self, run: Run, entries: Sequence[Any]) -> int | None:
        """The number (from 0) of the entry that the caller chose; None when the attempts are used up."""
        if self.flush:
            run.typed_ahead = ""
        size = MOST if len(entries) <= MOST else PAGE
        digits = Digits(minimum=1, maximum=1, first=self.first, terminators="")
        start, attempt = int(run.midway.get("n", 0)), 0
        asked = Asked(self.label, None, attempts=1, interrupt=self.interrupt)
        resumed = run.resumption is not None and "p" in run.midway
        while attempt < self.attempts:
            page = entries[start : start + size]
            more, back = start + size < len(entries), start > 0
            if not resumed:
                run.midway = {"n": start}
                self._say(run, page, more=more, back=back)
            resumed = False
            run.midway = {"n": start, "p": 1}
            given = ask(run, asked, digits, Given)
            key = "" if given is None else str(given.value)
            if key == REPEAT:
                continue
            if key == MORE and more:
                start += size
            elif key == BACK and back:
                start -= size
            elif key.isdigit() and 1 <= int(key) <= len(page):
                return start + int(key) - 1
            else:
                attempt += 1
                if attempt < self.attempts:
                    if key:
                        say_wrong(run, self.again.wrong or WRONG, interrupt=self.interrupt)
                    else:
                        run.speak(self.again.silent or SILENT, interrupt=self.interrupt)
        return None

    def _say(self, run: Run, page: Sequence[Any], *, more: bool, back: bool) -> None:
        """The question, the entries with their keys, and how to turn the page; until a key is pressed."""
        values = valued(run, self.values)
        mark = entry_mark(run, self.each, self.as_)
        said = [(self.prompt, values)]
        for number, entry in enumerate(page):
            said.append((self.entry, values.also({self.as_: entry, "key": str(number + 1)}, mark)))
        said += [(MORE_PROMPT, Handed())] if more else []
        said += [(BACK_PROMPT, Handed())] if back else []
        for prompt, known in said:
            if run.typed_ahead:
                return
            run.speak(prompt, known, interrupt=self.interrupt)
