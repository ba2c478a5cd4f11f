"""``insideline knowledge`` and ``insideline certification``: answers, rules, and who passed them.

They work beside a running engine and without one.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import click

from engine.cli.client import Engine, NoEngine
from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import Column, echo_json, json_object, json_option, listing, many, moment

_COLUMNS: tuple[Column, ...] = (
    ("id", "id"),
    ("version", "version"),
    ("state", "state"),
    ("title", "title"),
    ("topic", "topic"),
    ("skill", "skill"),
    ("kind", "kind"),
    ("department", "department"),
    ("must pass", "must_read"),
)
_by = click.option("--as", "by", default="", help="Who does it: an agent's id, or a name; you when left out.")


@click.group()
def knowledge() -> None:
    """Answers and rules with their versions."""


@knowledge.command("list")
@click.option(
    "--state",
    type=click.Choice(["draft", "reviewed", "published", "superseded", "withdrawn"]),
    help="Only in this state.",
)
@click.option("--topic", default="", help="About this.")
@click.option("--department", default="", help="Of this department.")
@click.option("--skill", default="", help="Of this skill.")
@click.option("--kind", type=click.Choice(["answer", "rule"]), help="Of this kind.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many."
)
@home_option
@json_option
def list_items(as_json: bool, **wanted: Any) -> None:
    """The newest version of each item."""
    listing(
        _do("list", **{name: value or "" for name, value in wanted.items()}),
        _COLUMNS,
        as_json=as_json,
        empty="nothing is known",
        spare=("must pass", "kind"),
    )


@knowledge.command()
@click.argument("text")
@click.option("--topic", default="", help="About this.")
@home_option
@json_option
def search(text: str, topic: str, as_json: bool) -> None:
    """What holds today and fits TEXT, best first."""
    rows = _do("list", text=text, topic=topic, state="published", limit=20)
    listing(rows, _COLUMNS, as_json=as_json, empty="nothing fits", spare=("must pass", "kind"))


@knowledge.command()
@click.argument("id")
@click.option("--version", default=0, help="This version; the one that holds today when left out.")
@home_option
@json_object
def show(id: str, version: int, as_json: bool) -> None:
    """One item, with its versions."""
    found = _do("show", id=id, version=version)
    if as_json:
        echo_json(found)
        return
    item = found["item"]
    click.echo(f"{item['id']} v{item['version']} {item['state']}  {item['title']}")
    for language, text in item["answers"].items():
        click.echo(f"\n[{language}] {text}")
        if language in item["spoken"]:
            click.echo(f"  spoken: {item['spoken'][language]}")
    click.echo()
    for one in found["versions"]:
        people = ", ".join(
            f"{what} {one[by]}"
            for what, by in (("by", "by"), ("reviewed by", "reviewed_by"), ("published by", "published_by"))
            if one[by]
        )
        click.echo(f"  v{one['version']} {one['state']:<11}{moment(one['published'])}  {people}")


@knowledge.command()
@click.argument("title")
@click.option("--answer", default="", help="The answer, if there is one already.")
@click.option("--language", default="zh-CN", show_default=True, help="Its language.")
@click.option("--id", "id", default="", help="Six digits are drawn when left out.")
@click.option("--topic", default="", help="What it is about.")
@click.option("--skill", default="", help="The skill that knows it.")
@click.option("--department", default="", help="Whose it is.")
@_by
@home_option
def draft(by: str, **told: str) -> None:
    """Begin an item: TITLE is the question."""
    _said(_do("draft", by=_who(by), **told))


@knowledge.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_by
@home_option
def edit(file: Path, by: str) -> None:
    """Take in FILE (Markdown, as `export` writes it) as a draft: a new item, or the next version of its id."""
    _said(_do("write", text=_text(file), name=file.name, by=_who(by)))


@knowledge.command()
@click.argument("id")
@_by
@home_option
def review(id: str, by: str) -> None:
    """Say that the draft is right. Not for who wrote it."""
    _said(_do("review", id=id, by=_who(by)))


@knowledge.command()
@click.argument("id")
@_by
@home_option
def publish(id: str, by: str) -> None:
    """Let what was reviewed hold."""
    _said(_do("publish", id=id, by=_who(by)))


@knowledge.command()
@click.argument("id")
@click.argument("why", default="")
@_by
@home_option
def withdraw(id: str, why: str, by: str) -> None:
    """Let it hold no more."""
    _said(_do("withdraw", id=id, why=why, by=_who(by)))


@knowledge.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@home_option
def import_(folder: Path) -> None:
    """Take in the files of FOLDER with their versions and states; what is there already stays."""
    files = {
        path.name: _text(path) for path in sorted(folder.glob("*.md")) if path.name.lower() != "readme.md"
    }
    click.echo(f"{_do('import', files=files)['kept']} of {len(files)} versions taken in")


@knowledge.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--all", "every", is_flag=True, help="Every version, not only what holds today.")
@click.option("--department", default="", help="Of this department only.")
@home_option
def export(folder: Path, every: bool, department: str) -> None:
    """Write what holds today into FOLDER, a Markdown file for each version."""
    files = _do("export", all=every, department=department)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    click.echo(f"{many(len(files), 'file')} in {folder}")


@click.group()
def certification() -> None:
    """What must be read and passed, and who has."""


@certification.command("list")
@click.option("--agent", default="", help="Of this agent.")
@click.option("--item", "id", default="", help="Of this item.")
@home_option
@json_option
def list_certificates(agent: str, id: str, as_json: bool) -> None:
    """Who has read and passed what."""
    columns: tuple[Column, ...] = (
        ("agent", "agent"),
        ("item", "id"),
        ("version", "version"),
        ("read", lambda row: moment(row["read"])),
        ("passed", lambda row: moment(row["passed"])),
        ("score", lambda row: f"{row['score']}/{row['of']}" if row["of"] else ""),
        ("tries", "tries"),
    )
    listing(_do("certificates", agent=agent, id=id), columns, as_json=as_json, empty="no certificates")


@certification.command()
@click.option("--agent", default="", help="Of this agent only.")
@home_option
@json_option
def missing(agent: str, as_json: bool) -> None:
    """What agents have to pass and have not, and until when their skills count all the same."""
    columns: tuple[Column, ...] = (
        ("agent", "agent"),
        ("item", "id"),
        ("version", "version"),
        ("title", "title"),
        ("skills", "skills"),
        ("counts until", lambda row: moment(row["until"]) or "does not count"),
    )
    skills = {id: list(one.skills) for id, one in _agents().items() if one.skills and agent in ("", id)}
    rows = _do("missing", skills=skills)
    listing(rows, columns, as_json=as_json, empty="everybody has passed what they need")


@certification.command()
@click.argument("agent")
@click.argument("item")
@home_option
def read(agent: str, item: str) -> None:
    """AGENT reads ITEM: its text, and the questions of its quiz."""
    found = _do("read", agent=_agent(agent), id=item)
    click.echo(f"{found['id']} v{found['version']}  {found['title']}")
    for language, text in found["answers"].items():
        click.echo(f"\n[{language}] {text}")
    for number, one in enumerate(found["quiz"], 1):
        click.echo(f"\n{number}. {one['ask']}")
        for key, choice in enumerate(one["choices"], 1):
            click.echo(f"   {key} {choice}")


@certification.command()
@click.argument("agent")
@click.argument("item")
@click.argument("answers", nargs=-1, required=True, type=click.IntRange(1, 9))
@home_option
def quiz(agent: str, item: str, answers: tuple[int, ...]) -> None:
    """AGENT answers the quiz of ITEM by the numbers of the choices."""
    from engine.cli.offline import settings_of

    least = settings_of(home()).certification.least
    done = _do("answer", agent=_agent(agent), id=item, answers=list(answers), least=least)
    click.echo(f"{done['score']} of {done['of']} are right: {'passed' if done['passed'] else 'not passed'}")
    if not done["passed"]:
        raise click.exceptions.Exit(1)


@certification.command("pass")
@click.argument("agent")
@click.argument("item")
@home_option
def pass_(agent: str, item: str) -> None:
    """AGENT has understood ITEM, which has no quiz."""
    done = _do("pass", agent=_agent(agent), id=item)
    click.echo(f"{done['agent']} has passed {done['id']} v{done['version']}")


def _agents() -> Any:
    from engine.cli.offline import installation_of

    made = installation_of(home())
    if made.acd is None:
        raise Failed("conf/agents.yaml has faults (`insideline conf check` shows them)")
    return made.acd.agents


def _agent(id: str) -> str:
    if id not in _agents():
        raise Failed(f"there is no agent {id}")
    return id


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Failed(f"{file} is not UTF-8") from None


def _who(by: str) -> str:
    return by or getpass.getuser()


def _said(item: dict[str, Any]) -> None:
    click.echo(f"{item['id']} v{item['version']} is {item['state']}: {item['title']}")


def _do(deed: str, **told: Any) -> Any:
    """A deed of :mod:`engine.records.knowledge_desk`: done by the running engine, or here."""
    place = home()
    try:
        with Engine(place) as engine:
            return engine.post(f"/knowledge/{deed}", **told)
    except NoEngine:
        from engine.cli.offline import knowledge_done

        return knowledge_done(place, deed, told)
