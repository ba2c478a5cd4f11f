"""The command line's first word. Each command is imported when it is used, so that every one starts quickly."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from engine.cli.failing import Failed
from engine.cli.home import OfHome, home_option
from engine.errors import InsidelineError

# name -> (module, attribute, what it does)
_COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("init", "init", "Make a home, or bring one up to date."),
    "run": ("run", "run", "Start the engine, and watch it."),
    "dial": ("dial", "dial", "Be the caller on the simulator."),
    "status": ("status", "status", "How the running engine is."),
    "doctor": ("doctor", "doctor", "What this machine and this home lack."),
    "call": ("calls", "call", "The live calls."),
    "talk": ("talks", "talk", "Hold, ask, transfer, three together: for an agent."),
    "supervise": ("supervise", "supervise", "Listen to an agent, whisper, barge, take over."),
    "cdr": ("cdrs", "cdr", "The calls that are over."),
    "agent": ("agents", "agent", "The agents."),
    "queue": ("queues", "queue", "The queues."),
    "explain": ("explain", "explain", "Why a call waited, why an agent was idle."),
    "conference": ("conferences", "conference", "Who talks in rooms."),
    "fax": ("faxes", "fax", "The faxes."),
    "recording": ("recordings", "recording", "The recordings."),
    "party": ("parties", "party", "Who calls, and their PINs."),
    "ticket": ("tickets", "ticket", "What departments owe."),
    "knowledge": ("knowledge", "knowledge", "Answers and rules, with their versions."),
    "certification": ("knowledge", "certification", "What must be read and passed."),
    "callback": ("owed", "callback", "The calls that we owe."),
    "notice": ("owed", "notice", "What people behind the desk are told."),
    "tally": ("owed", "tally", "What callers reported, counted by area."),
    "schedule": ("owed", "schedule", "What is done by the clock."),
    "voicemail": ("voicemail", "voicemail", "The messages that callers left."),
    "rating": ("ratings", "rating", "What callers answered to surveys."),
    "conf": ("conf", "conf", "The files in conf/."),
    "flow": ("flows", "flow", "The flows."),
    "schema": ("schema", "schema", "JSON Schemas, for editors."),
    "dialplan": ("dialplan", "dialplan", "The numbers, and what a call would meet."),
    "calendar": ("calendars", "calendar", "Opening hours, and closing in an emergency."),
    "reload": ("reload", "reload", "Let the running engine take changed files."),
    "prompts": ("prompts", "prompts", "What callers hear."),
    "outbox": ("outbox", "outbox", "What remote systems are still to be told."),
    "plugin": ("plugins", "plugin", "The departments' plugins, and a new one."),
    "report": ("departments", "report", "What departments report."),
    "data": ("data", "data", "The sample company, and its past."),
    "db": ("db", "db", "The database."),
    "fs": ("fs", "fs", "Give the switch a command of its own."),
}


class Commands(OfHome):
    """A group that knows its commands by a table, and says an engine's error in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = _COMMANDS.get(cmd_name)
        if found is None:
            return self._of_department(cmd_name)
        made = getattr(importlib.import_module(f"engine.cli.{found[0]}"), found[1])
        assert isinstance(made, click.Command)
        return made

    def _of_department(self, name: str) -> click.Command | None:
        """``insideline logistics …``: what a plugin brings (hook register_commands)."""
        if not name.isidentifier():
            return None
        from engine.cli.departments import department_group

        return department_group(name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, _, about) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InsidelineError as error:
            if ctx.params.get("traceback"):
                raise
            raise Failed(str(error)) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            # The reader of a pipe went away (`| head`): say nothing, also not at the interpreter's end.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            ctx.exit(1)
        except Exception as error:
            if ctx.params.get("traceback"):
                raise
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            raise Failed(f"this should not happen: {what} (`insideline --traceback …` says where)") from error


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, help="Show where an unexpected error came from.")
@home_option
@click.version_option(package_name="insideline", prog_name="insideline", message="%(prog)s %(version)s")
def cli(traceback: bool) -> None:
    """Insideline, the internal call centre on FreeSWITCH.

    Commands work on the home that you are in (the folder with conf/ and dialplans/), or on --home. Every
    list takes --json. A department may bring commands of its own: `insideline <department> --help`.
    """
