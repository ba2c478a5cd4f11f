"""``conf/notify.yaml``: who is told of what, and how."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from engine.schema.faults import Faults, did_you_mean
from engine.schema.fields import Dialled, Duration, Ident, Language, Name, Port, Raw, Text, text_of, whole
from engine.schema.shapes import FileShape, Shape, load_entries, wrong

_TRIES = whole(1, 20)
Tries = Annotated[int, _TRIES[0], _TRIES[1]]
_FAILURES = whole(2, 1000)
Failures = Annotated[int, _FAILURES[0], _FAILURES[1]]


def _address(value: Any) -> str:
    text = str(text_of(value, "a mail address"))
    if re.fullmatch(r"[^@\s<>,;\"]+@[A-Za-z0-9.-]+", text) is None:
        raise wrong("address", f"`{text}` is no mail address", "write desk@example.com")
    return text


def _url(value: Any) -> str:
    text = str(text_of(value, "an address"))
    if re.fullmatch(r"https?://[^\s/]+(/\S*)?", text) is None:
        raise wrong("url", f"`{text}` is no address of the web", "write https://example.com/hook")
    return text


def _number(value: Any) -> str:
    text = str(text_of(value, "a number"))
    if re.fullmatch(r"\+?[0-9*#]{2,20}|\{[a-z][a-z0-9_]*\}", text) is None:
        raise wrong("number", f"`{text}` is no number", 'write "1001", or "+8613800000000" for one outside')
    return text


def _addresses(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Address = Annotated[str, PlainValidator(_address), WithJsonSchema({"type": "string"})]
Url = Annotated[str, PlainValidator(_url), WithJsonSchema({"type": "string"})]
Number = Annotated[str, PlainValidator(_number), WithJsonSchema({"type": "string"})]


class Mail(Shape):
    """How mail goes out: the company's own server."""

    host: Text
    port: Port = 25
    sender: Address
    security: Literal["none", "starttls", "tls"] = "none"
    user: Text | None = None
    password: Raw | None = None


class NoticeWay(Shape):
    """One way to tell somebody; exactly one of ``mail``, ``webhook``, ``phone`` and ``notifier``.

    ``tries`` is how often it is tried (a phone: rung), ``every`` the pause between two tries, which doubles for
    mail and webhook.
    """

    mail: list[Address] | None = Field(default=None, min_length=1)
    webhook: Url | None = None
    secret: Raw | None = None  # signs what is sent to the webhook
    #: An extension, a number outside that conf/trunks.yaml allows, or `"{name}"`: what the notice says by that name.
    phone: Number | None = None
    rings: Duration = 30.0
    key: Dialled = "1"  # what acknowledges on the phone
    notifier: Ident | None = None
    to: Raw | None = None
    tries: Tries = 3
    every: Duration = 30.0

    @property
    def kind(self) -> str:
        """Its word."""
        return next(
            word for word in ("mail", "webhook", "phone", "notifier") if getattr(self, word) is not None
        )

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [word for word in ("mail", "webhook", "phone", "notifier") if getattr(self, word) is not None]
        if len(given) != 1:
            raise wrong("way", "say one of `mail`, `webhook`, `phone` and `notifier`")
        if self.secret is not None and self.webhook is None:
            raise wrong("way", "`secret` is for a webhook", at="secret")
        if self.to is not None and self.notifier is None:
            raise wrong("way", "`to` is for a notifier", at="to")
        return self


class NoticeGroup(Shape):
    """People who are told together. ``ways`` are tried in order: the next one when one fails, or when nobody
    acknowledged within ``acknowledge``. Without ``acknowledge`` the first way that gets through is enough."""

    ways: list[NoticeWay] = Field(min_length=1)
    acknowledge: Duration | None = None
    language: Language | None = None  # the centre's first one when left out


class Silence(Shape):
    """No call came in for ``longest`` though ``calendar`` is open: most likely a line is dead."""

    calendar: Name
    longest: Duration

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if not 60 <= self.longest <= 86400:
            raise wrong("duration", "a silence is told of after 1m to 24h", at="longest")
        return self


class Operators(Shape):
    """Who is told of what is wrong with the centre itself, and from when on it is worth telling: nothing could run for
    ``blocked``; ``failures`` steps of one department failed ``within`` so long, or as many calls were ended by a fault
    of the line; the phone of an agent who is logged in is ``unreachable`` for so long; ``silence``. That the engine
    died, or was stopped with callers on the line, and an empty recording are always worth it."""

    group: Name
    blocked: Duration = 3.0
    failures: Failures = 5
    within: Duration = 600.0
    unreachable: Duration = 120.0
    silence: Silence | None = None


class NotifyFile(FileShape):
    """conf/notify.yaml. ``boxes`` says which group is told of a message that a caller left in a box; the box ``"*"``
    stands for all that are not named."""

    grammar: Literal["1"]
    mail: Mail | None = None
    operators: Operators | None = None
    groups: dict[Name, NoticeGroup] = Field(default_factory=dict)
    boxes: dict[Text, Name] = Field(default_factory=dict)

    def told_of(self, box: str) -> str:
        """The group that is told of messages in a box; "" when nobody is."""
        return self.boxes.get(box) or self.boxes.get("*", "")


def load_notify(
    path: Path,
    *,
    notifiers: frozenset[str],
    languages: tuple[str, ...],
    away: frozenset[str] = frozenset(),
    name: str = "conf/notify.yaml",
) -> tuple[NotifyFile, Faults]:
    """Read the file; one that is not there tells nobody anything. ``notifiers`` are those that plugins bring, ``away``
    the plugins that were kept out: what those would have brought is no fault (such a way fails, and the next is tried).
    """
    if not path.exists():
        return NotifyFile(grammar="1"), Faults()
    file, found, faulty = load_entries(path, NotifyFile, "groups", name=name)
    faults = Faults(found)
    if file is None:
        return NotifyFile(grammar="1"), faults
    named: list[tuple[tuple[str, str], str]] = [(("boxes", box), group) for box, group in file.boxes.items()]
    if file.operators is not None:
        named.append((("operators", "group"), file.operators.group))
    for at, group in named:
        if group not in (there := {*file.groups, *faulty}):
            hint = did_you_mean(group, there)
            faults.add(file.fault(at, "unknown-group", f"there is no group `{group}`", hint))
    for group, told in file.groups.items():
        if told.language is not None and told.language not in languages:
            faults.add(
                file.fault(
                    ("groups", group, "language"), "unknown-language",
                    f"the centre does not speak `{told.language}`", did_you_mean(told.language, languages),
                )
            )  # fmt: skip
        for number, way in enumerate(told.ways):
            if way.mail is not None and file.mail is None:
                faults.add(
                    file.fault(
                        ("groups", group, "ways", number, "mail"), "no-mail",
                        "there is no `mail:` in this file, so no mail goes out",
                        "mail: {host: mail.example.com, sender: centre@example.com}",
                    )
                )  # fmt: skip
            if (
                way.notifier is not None
                and way.notifier not in notifiers
                and way.notifier.partition(".")[0] not in away
            ):
                faults.add(
                    file.fault(
                        ("groups", group, "ways", number, "notifier"), "unknown-notifier",
                        f"there is no notifier `{way.notifier}`", did_you_mean(way.notifier, notifiers),
                    )
                )  # fmt: skip
    return (NotifyFile(grammar="1") if faulty else file), faults
