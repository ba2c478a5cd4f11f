"""``answer_from_knowledge``: the published answer to a caller's question, and whether it solved it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.errors import StoreError
from engine.esl.commands import Digits
from engine.flows.asking import SILENT, WRONG, Asked, Given, ask
from engine.flows.expressions import ExpressionError
from engine.flows.literals import spoken_literally
from engine.flows.moves import Go
from engine.flows.scope import UnknownName
from engine.flows.step import Again, Into, Step, Types
from engine.flows.types import DIGITS, TEXT, WHOLE, Type, record
from engine.flows.values import Val
from engine.schema.fields import Attempts, Duration, PromptRef, Target

if TYPE_CHECKING:
    from engine.flows.moves import Move
    from engine.flows.run import Run
    from engine.records.knowledge import Library
    from engine.types import KnowledgeView

MOST: Final = 9
"""Answers that are offered: the keys 1 to 9."""
YES, NO, REPEAT = "1", "2", "*"


class AnswerFromKnowledge(Step):
    """One answer that fits is said at once; of several the caller picks, the best nine at most. Then comes the question
    whether that solved it: 1 yes, 2 no, star says the answer again. Only what is published, holds today and has an
    answer in the caller's language is offered. What was said, and what came of it, stands in the journal
    (`knowledge.said`, `knowledge.answered`)."""

    kind = "answer_from_knowledge"
    waits = True
    lends = frozenset({"answer", "key"})

    topic: Val | None = None
    """The topic of the answers that are meant."""
    text: Val | None = None
    """Words to search for."""
    item: Val | None = None
    """The id of a certain answer."""
    department: Val | None = None
    """Whose answers are meant; everybody's when left out."""
    skill: Val | None = None
    """The skill that the answers belong to."""
    which: PromptRef | None = None
    """Said before the titles, when there are several; the common prompt `knowledge_which` when left out."""
    entry: PromptRef | None = None
    """Says one title: `answer.title`, and its `key`; the common prompt `knowledge_entry` when left out."""
    ask: PromptRef | None = None
    """Asks whether it is solved; the common prompt `knowledge_solved` when left out."""
    into: Into | None = None
    """Gets the answer: `id`, `version`, `title`, `topic`, `skill`, `kind`, `department`, `text`."""
    first: Duration = 6.0
    """How long to wait for a key."""
    attempts: Attempts = 3
    """How often is asked."""
    again: Again = Again()
    """What is said before it is asked again."""
    within: Duration = 3.0
    """How long the search may take."""
    solved: Target
    """Where yes leads."""
    not_solved: Target
    """Where no leads."""
    not_found: Target
    """Where it leads when there is no answer that fits."""
    give_up: Target
    """Where a caller leads who picks none, or does not say whether it is solved."""
    failed: Target
    """Where it leads when the knowledge can't be searched."""

    def bears(self, way: str) -> bool:
        return way in ("solved", "not_solved")

    def falls_through(self) -> bool:
        return False

    def born_type(self, name: str, types: Types) -> Type:
        return _ANSWER

    def lent_types(self, types: Types) -> Mapping[str, Type]:
        return {"answer": _ANSWER, "key": DIGITS}

    def how(self, way: str) -> str:
        words = {
            "solved": f"press {YES}", "not_solved": f"press {NO}", "not_found": "no answer fits",
            "give_up": f"stay silent x{self.attempts}",
        }  # fmt: skip
        return words.get(way) or super().how(way)

    def run(self, run: Run) -> Move:
        # Whoever hears an answer when the engine dies goes on with that very version.
        kept = run.midway.get("k") if run.resumption is not None else None
        if kept is None:
            run.checkpoint()
            run.flush()
        records = run.services.records
        if records is None:
            return run.fail(self, "there are no records", self.failed)
        try:
            wanted = self._wanted(run)
            found: list[KnowledgeView] = records.read(
                lambda session: _find(records.library(session), wanted, run.call.language, kept), self.within
            )
        except (StoreError, UnknownName, ExpressionError) as error:
            return run.fail(self, str(error), self.failed)
        if not found:
            run.call.journal("knowledge.not_found", **wanted)
            return Go(self.not_found, way="not_found")
        chosen = found[0] if len(found) == 1 else self._picked(run, found)
        if chosen is None:
            return Go(self.give_up, way="give_up")
        return self._said(run, chosen, wanted["topic"])

    def _wanted(self, run: Run) -> dict[str, str]:
        names = ("topic", "text", "item", "department", "skill")
        values = {name: getattr(self, name) for name in names}
        return {
            name: "" if value is None else str(value.get(run.scope) or "") for name, value in values.items()
        }

    def _picked(self, run: Run, found: list[KnowledgeView]) -> KnowledgeView | None:
        """The answer whose key the caller pressed; None when the attempts are used up."""
        digits = Digits(minimum=1, maximum=1, first=self.first, terminators="")
        asked = Asked(self.label, None, attempts=1)
        language = run.call.language
        for attempt in range(1, self.attempts + 1):
            said: list[tuple[str, dict[str, Any]]] = [(self.which or "knowledge_which", {})]
            for number, one in enumerate(found, 1):
                told = {"answer": _record(one, language), "key": str(number)}
                said.append((self.entry or "knowledge_entry", told))
            for prompt, values in said:
                if run.typed_ahead:
                    break
                run.speak(prompt, values, interrupt=True)
            given = ask(run, asked, digits, Given)
            key = "" if given is None else str(given.value)
            if key.isdigit() and 1 <= int(key) <= len(found):
                return found[int(key) - 1]
            if attempt < self.attempts and key != REPEAT:
                run.speak(
                    (self.again.wrong or WRONG) if key else (self.again.silent or SILENT), interrupt=True
                )
        return None

    def _said(self, run: Run, answer: KnowledgeView, topic: str) -> Move:
        language = run.call.language
        about = {"id": answer.id, "version": answer.version, "topic": topic or answer.topic}
        text = spoken_literally(answer.said(language))
        asked = run.resumption is not None and "a" in run.midway
        run.midway = {"k": [answer.id, answer.version]}
        if not asked:
            run.call.journal("knowledge.said", **about)
            run.speak(text, interrupt=True)
        run.midway = {"k": [answer.id, answer.version], "a": 1}
        question = Asked(self.label, self.ask or "knowledge_solved", attempts=1, again=self.again)
        digits = Digits(minimum=1, maximum=1, first=self.first, terminators="")
        for attempt in range(1, self.attempts + 1):
            given = ask(run, question, digits, Given)
            key = "" if given is None else str(given.value)
            if key in (YES, NO):
                solved = key == YES
                run.call.journal("knowledge.answered", **about, solved=solved)
                if self.into is not None:
                    run.bear(self.into, _record(answer, language))
                return Go(self.solved, way="solved") if solved else Go(self.not_solved, way="not_solved")
            if key == REPEAT:
                run.speak(text, interrupt=True)
            elif attempt < self.attempts:
                run.speak(
                    (self.again.wrong or WRONG) if key else (self.again.silent or SILENT), interrupt=True
                )
        run.call.journal("knowledge.answered", **about, solved=None)
        return Go(self.give_up, way="give_up")


_ANSWER: Final = record(
    "answer",
    id=TEXT,
    version=WHOLE,
    title=TEXT,
    topic=TEXT,
    skill=TEXT,
    kind=TEXT,
    department=TEXT,
    text=TEXT,
)


def _record(answer: KnowledgeView, language: str) -> dict[str, Any]:
    return {
        "id": answer.id, "version": answer.version, "title": answer.question(language), "topic": answer.topic,
        "skill": answer.skill, "kind": answer.kind, "department": answer.department, "text": answer.text(language),
    }  # fmt: skip


def _find(
    library: Library, wanted: Mapping[str, str], language: str, kept: list[Any] | None
) -> list[KnowledgeView]:
    """The answers that fit, in the caller's language; the one of an earlier engine where there is one."""
    if kept is not None:
        before = library.get(str(kept[0]), int(kept[1]))
        return [before] if before is not None else []
    if wanted["item"]:
        one = library.get(wanted["item"])
        found = [one] if one is not None else []
    else:
        found = library.search(
            wanted["text"],
            topic=wanted["topic"],
            department=wanted["department"],
            skill=wanted["skill"],
            limit=100,
        )
    return [one for one in found if one.answers.get(language) or one.spoken.get(language)][:MOST]
