"""Every error that crosses a layer of the engine, in one place.

An error that a person reads carries one clear line; what belongs in a log is kept beside it.
"""

from __future__ import annotations


class InsidelineError(Exception):
    """The base of all errors of Insideline. ``str(error)`` is one line, fit for a person."""


class ConfigError(InsidelineError):
    """A file of the installation can't be used; the message names file, line and column."""


class UnsafeText(InsidelineError):
    """Text with CR, LF, NUL or dial-string syntax was about to enter a command, and was refused."""


class SwitchError(InsidelineError):
    """The switch refused a command or answered something that can't be used."""


class SwitchUnsafe(SwitchError):
    """The switch is configured in a way that Insideline refuses to run on (see freeswitch/README.md)."""


class NotConnected(SwitchError):
    """There is no event socket: it was lost, refused, or never opened."""


class CommandRefused(SwitchError):
    """The switch answered a command with ``-ERR`` or ``-USAGE``. ``reply`` is its answer."""

    def __init__(self, command: str, reply: str) -> None:
        super().__init__(f"{command}: {' '.join(reply.split())}")
        self.reply = reply


class CommandTimeout(SwitchError):
    """The switch did not answer a command within its time limit."""


class LeaseLost(SwitchError):
    """Another engine leads this switch; nothing more may be sent."""


class HungUp(InsidelineError):
    """The caller's leg ended while its call waited for something. ``cause`` is the hang-up cause."""

    def __init__(self, cause: str = "NORMAL_CLEARING") -> None:
        super().__init__(f"hung up ({cause})")
        self.cause = cause


class NoSuchCall(InsidelineError):
    """No live call (or leg) has that identifier."""


class NotFound(InsidelineError):
    """What was asked for by name or number does not exist."""


class Refused(InsidelineError):
    """A command of a department refuses a deed for a reason that its flow must handle.

    ``reason`` is one of the refusals that the command declares; ``details`` may be spoken by the
    flow as ``refusal.<name>``.
    """

    def __init__(self, reason: str, **details: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


class Pending(InsidelineError):
    """A deed was sent, and whether it took effect is not known."""


class PluginError(InsidelineError):
    """A plugin can't be loaded or broke a rule of ``engine.api``; the message names it."""


class StoreError(InsidelineError):
    """The database can't be used as it is (unreachable, older than the code, locked)."""


class DepartmentFailed(InsidelineError):
    """A query or command of a department gave no usable answer, and nothing was done.

    ``why`` is "arguments" (the flow's values don't fit), "raised", "nonsense" (an answer of the wrong type),
    "time_up", "busy", "remote" (see :class:`RemoteFailed`), "open" (its circuit breaker; nothing was asked) or "away"
    (its plugin was kept out);
    ``detail`` says more and holds no value of the caller's.
    """

    def __init__(self, handler: str, why: str, detail: str = "") -> None:
        super().__init__(f"{handler}: {why}: {detail}" if detail else f"{handler}: {why}")
        self.handler = handler
        self.why = why
        self.detail = detail


class RemoteFailed(InsidelineError):
    """A company's system gave no usable answer.

    ``sent``: it may have got the request, and done what it said; False only where that can't be. ``lasting``: asking
    again in the same way is of no use (an answer such as 401 or 404). ``retry_after``: seconds that it asked for.
    """

    def __init__(
        self, why: str, *, sent: bool = True, lasting: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(why)
        self.sent = sent
        self.lasting = lasting
        self.retry_after = retry_after


class WrongState(InsidelineError):
    """A command can't be done in the state that an agent or a call is in now."""


class QueueRefused(WrongState):
    """A queue takes nobody now. ``reason`` is ``closed``, ``full`` or ``no_agents``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LoginRefused(InsidelineError):
    """A log-in failed. ``reason`` is ``wrong_pin``, ``locked``, ``phone_taken`` or ``not_allowed`` (lacks the role).

    An unknown agent is refused as a wrong PIN is, so that nobody learns which numbers exist.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StoreDown(StoreError):
    """The database can't be reached or written at this moment; what was asked for did not happen."""


class StoreTimeout(StoreError):
    """The database did not answer within the time limit; nothing was changed, and nothing will be."""


class DialRefused(InsidelineError):
    """A number that may not be rung outside (see ``engine.calls.outbound``). ``why`` is one of malformed, unlisted,
    denied, loop, no_trunk, too_many, too_often; the message is for a person and holds no number."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


class FaxError(InsidelineError):
    """A fax can't be made or sent: no font, no page, a switch without a fax module. The message says what to do."""
