"""What may stand in a command, and how it is escaped: the guard that every builder in this package passes.

The event socket is lines. A CR or LF in a value starts a second command, a NUL cuts the value short
(the switch keeps C strings), ``${`` is expanded when the value meets an application, and
``{ } [ ] < > , | ^ :`` and quotes are syntax of dial strings. Nothing here repairs: text that could
mean more than itself raises :class:`~engine.errors.UnsafeText`. Only :func:`display_text` repairs,
for names that strangers choose and people merely read.

The switch splits arguments with ``switch_separate_string`` (src/switch_utils.c): blanks or another
delimiter, paired apostrophes quote, a backslash escapes, and ``\\n \\r \\t \\s`` turn into
control characters and a blank. :func:`escape` is its inverse.
"""

from __future__ import annotations

import re

from engine.errors import UnsafeText

# C0 controls and DEL have no business in any argument. Lone surrogates can't be encoded. U+0085 and
# U+2028 are text: the switch ends lines at CR and LF only.
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# What switch_string_var_check_const takes for a variable: a dollar, any backslashes, a brace.
_EXPANDS = re.compile(r"\$\\*\{")
# "%[name=value]" at the head of an application's argument sets scope variables; so does "%^[…]".
_SCOPE = re.compile(r"%.?\[")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_.@+=:-]{1,255}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_DIGITS = re.compile(r"[0-9*#A-Da-d]{1,128}")
_DESTINATION = re.compile(r"[A-Za-z0-9_.+*#@-]{1,128}")
_MEDIA_SYNTAX = re.compile(r"[\\'\"<>|\[\]]")
# Refused in the value of a dial string's variable, however it is escaped: brackets are counted before
# any quoting is looked at, and the whole string is searched for the others first.
_DIAL_SYNTAX = re.compile(r"[{}\[\]<>|^\"$]|:_:")
_DISPLAY_UNSAFE = re.compile("[\x00-\x1f\x7f\ud800-\udfff{}\\[\\]<>|^\"'$\\\\,;&%@:/=`]+")


def plain(text: str, what: str) -> str:
    """``text`` itself, when it holds no control character; ``what`` names it in the error."""
    if _CONTROL.search(text):
        raise UnsafeText(f"{what} holds a control character")
    return text


def inert(text: str, what: str) -> str:
    """``text`` itself, when it is plain and no application would expand anything in it."""
    plain(text, what)
    if _EXPANDS.search(text):
        raise UnsafeText(f"{what} holds a variable expression, which the switch would expand")
    if _SCOPE.match(text):
        raise UnsafeText(f"{what} begins with a scope-variable list, which the switch would take apart")
    return text


def safe_value(value: str, what: str = "value") -> str:
    """A value that may be set on a channel: plain, not expandable, no array, no blanks at its ends.

    ``ARRAY::a|:b`` would become an array of two; blanks at the ends would be lost.
    """
    inert(value, what)
    if value.startswith("ARRAY::"):
        raise UnsafeText(f"{what} begins with ARRAY::, which the switch would turn into an array")
    if value != value.strip(" "):
        raise UnsafeText(f"{what} begins or ends with a blank, which the switch would drop")
    return value


def uuid(text: str, what: str = "uuid") -> str:
    """A UUID as the switch writes them, 36 characters."""
    return _match(_UUID, text, what, "UUID")


def is_uuid(text: str) -> bool:
    """Whether this is a UUID as the switch writes them."""
    return _UUID.fullmatch(text) is not None


def token(text: str, what: str) -> str:
    """A word of letters, digits and ``_ . @ + = : -``: event UUIDs, hash keys, scheduler groups."""
    return _match(_TOKEN, text, what, "token (letters, digits, _ . @ + = : -)")


def variable(text: str, what: str = "variable name") -> str:
    """The name of a channel variable."""
    return _match(_VARIABLE, text, what, "name of a variable")


def word(text: str, what: str) -> str:
    """A name of a profile, gateway, context, dialplan, conference, extension: letters, digits, ``_ . -``."""
    return _match(_WORD, text, what, "plain name (letters, digits, _ . -)")


def number(text: str, what: str = "number") -> str:
    """A telephone number: digits, ``*`` and ``#``, perhaps a ``+`` in front. Never dial-string syntax."""
    return _match(_NUMBER, text, what, "telephone number")


def digits(text: str, what: str = "digits") -> str:
    """Keys of a phone."""
    return _match(_DIGITS, text, what, "row of keys (0-9 * # A-D)")


def destination(text: str, what: str = "destination") -> str:
    """Where a transfer may go: an extension of a dialplan."""
    return _match(_DESTINATION, text, what, "destination (letters, digits, _ . + * # @ -)")


def media(text: str, what: str = "media") -> str:
    """What a playback may name: a path, or ``tone_stream://``, ``silence_stream://``, ``local_stream://``,
    ``file_string://``. Parameters in braces in front are syntax and refused."""
    inert(text, what)
    if not text or text.startswith("{") or _MEDIA_SYNTAX.search(text) or text != text.strip(" "):
        raise UnsafeText(f"{what} is empty or holds syntax of the switch")
    return text


def path(text: str, what: str = "path") -> str:
    """An absolute path made by the engine: nothing in it climbs or is syntax."""
    media(text, what)
    if not text.startswith("/") or ".." in text.split("/") or "{" in text or "," in text:
        raise UnsafeText(f"{what} is no plain absolute path")
    return text


def escape(text: str, delimiter: str = "", *, blanks: bool = False) -> str:
    """``text`` so that one pass of ``switch_separate_string`` gives it back whole."""
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    if delimiter:
        text = text.replace(delimiter, "\\" + delimiter)
    return text.replace(" ", "\\s") if blanks else text


def dial_value(value: str, what: str) -> str:
    """A value for ``{name=value}`` of a dial string, escaped for the three splits it goes through.

    ``originate`` splits its line at blanks, the braces at commas, and each piece at ``=``
    (mod_commands.c, switch_event_create_brackets).
    """
    safe_value(value, what)
    if _DIAL_SYNTAX.search(value):
        raise UnsafeText(f"{what} holds dial-string syntax")
    return escape(escape(escape(value, "="), ","), blanks=True)


def display_text(text: str, limit: int = 60) -> str:
    """A stranger's words made fit to be shown on a phone: syntax and controls become blanks.

    For caller-ID names. Never raises; an empty result means that nothing readable was left.
    """
    return " ".join(_DISPLAY_UNSAFE.sub(" ", text).split())[:limit].rstrip()


def _match(pattern: re.Pattern[str], text: str, what: str, kind: str) -> str:
    if not pattern.fullmatch(text):
        raise UnsafeText(f"{what} is no {kind}")
    return text
