"""What callers hear: catalogues of texts, values in the caller's language, voices, and the clips they make."""

from __future__ import annotations

from engine.prompts.catalogue import Catalogue, Text, load_catalogue, load_say_as
from engine.prompts.library import Prompts, Utterance, Warmed
from engine.prompts.render import EspeakVoice, MuteVoice, Voice, VoicesState, find_voice, voices_state
from engine.prompts.spoken import FORMATS, LANGUAGES, accepts

__all__ = [
    "FORMATS",
    "LANGUAGES",
    "Catalogue",
    "EspeakVoice",
    "MuteVoice",
    "Prompts",
    "Text",
    "Utterance",
    "Voice",
    "VoicesState",
    "Warmed",
    "accepts",
    "find_voice",
    "load_catalogue",
    "load_say_as",
    "voices_state",
]
