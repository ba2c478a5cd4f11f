"""What the control API, the board and the commands see of an engine."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from engine.app.kept_out import led_away
from engine.esl import commands
from engine.web.parts import Parts, SwitchView

if TYPE_CHECKING:
    from engine.app.app import App


def parts_of(app: App) -> Parts:
    """What the control API and the board see."""
    made = app.installation
    return Parts(
        version=version("insideline"),
        home=made.home,
        clock=app.clock,
        began=app.began,
        switch=lambda: _switch_view(app),
        command=lambda line: app.connection.api(commands.raw_api(line), 10.0),
        calls=app.calls,
        acd=app.acd,
        store=app.store,
        parties=app.parties,
        recordings=made.folders.recordings,
        sounds=app.sounds,
        departments=app.departments,
        priority=lambda: app.priority.view,
        blocks=lambda: app.watchdog.blocks,
        mended=lambda: app.calls.mended + app.acd.mended,
        prompts=app.prompts,
        faxes=app.faxes,
        flows=lambda: app.lead.flows,
        closing=app.closing,
        reload=app.reload,
        host=made.host,
        led_away=lambda plugin: led_away(made, plugin),
        day=made.day,
        ready=app.ready.is_set,
        simulator=app.simulator,
        records=app.records,
        how_to_call=_how_to_call(app),
    )


def _switch_view(app: App) -> SwitchView:
    up = app.connection.up
    return SwitchView(
        name=app.line.name,
        up=up,
        core_uuid=app.connection.core_uuid,
        why=app.leader.refusal if up else app.connection.error,
        leads=app.calls.leading,
    )


def _how_to_call(app: App) -> list[str]:
    if app.simulator is not None:
        return ["insideline dial 8004   in another terminal: you are the caller"]
    switch = app.installation.settings.switch
    lines = [f"register a SIP phone at {switch.phones.ip}:{switch.phones.port} and dial 8004"]
    if app.freeswitch is not None:
        for extension, password in list(app.freeswitch.passwords.items())[:1]:
            lines.append(f"  user {extension}, password {password}")
    return lines
