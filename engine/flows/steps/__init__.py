"""The kinds of steps. The table is all that knows them; departments add to a copy of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.flows.step import Step
from engine.flows.steps.alert import Alert
from engine.flows.steps.answer import Answer
from engine.flows.steps.answer_from_knowledge import AnswerFromKnowledge
from engine.flows.steps.callback import Callback
from engine.flows.steps.choose import Choose
from engine.flows.steps.collect import Collect
from engine.flows.steps.command import Command
from engine.flows.steps.conference import Conference
from engine.flows.steps.confirm import Confirm
from engine.flows.steps.dictate import Dictate
from engine.flows.steps.fax import Fax
from engine.flows.steps.go import Go
from engine.flows.steps.hangup import Hangup
from engine.flows.steps.identify import Identify
from engine.flows.steps.identity import Identity
from engine.flows.steps.journal import Journal
from engine.flows.steps.menu import Menu
from engine.flows.steps.messages import HearMessages
from engine.flows.steps.music import Music
from engine.flows.steps.open_hours import OpenHours
from engine.flows.steps.pause_recording import PauseRecording
from engine.flows.steps.pick import Pick
from engine.flows.steps.play import Play
from engine.flows.steps.query import Query
from engine.flows.steps.queue import Queue
from engine.flows.steps.rate import Rate
from engine.flows.steps.record import Record
from engine.flows.steps.return_ import Return
from engine.flows.steps.run import Run
from engine.flows.steps.say import Say
from engine.flows.steps.set import Set
from engine.flows.steps.set_language import SetLanguage
from engine.flows.steps.silence import Silence
from engine.flows.steps.stop import Stop
from engine.flows.steps.tally import Tally
from engine.flows.steps.ticket import Ticket
from engine.flows.steps.ticket_state import TicketState
from engine.flows.steps.transfer import Transfer
from engine.flows.steps.voicemail import Voicemail

_ALL: tuple[type[Step], ...] = (
    # media
    Answer,
    AnswerFromKnowledge,
    Play,
    Say,
    Music,
    Silence,
    SetLanguage,
    # input
    Menu,
    Collect,
    Pick,
    Confirm,
    Dictate,
    Voicemail,
    HearMessages,
    Rate,
    # logic
    Set,
    Choose,
    Go,
    Run,
    Return,
    OpenHours,
    Stop,
    # business
    Query,
    Command,
    Identify,
    Identity,
    Ticket,
    TicketState,
    Callback,
    Tally,
    Alert,
    Journal,
    Fax,
    # people
    Queue,
    Transfer,
    Conference,
    Record,
    PauseRecording,
    Hangup,
)

#: Word -> kind of step.
STEPS: Mapping[str, type[Step]] = MappingProxyType({kind.kind: kind for kind in _ALL})
