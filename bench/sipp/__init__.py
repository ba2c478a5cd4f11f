"""What SIPp and FreeSWITCH need for the IVR benchmark: a caller, and the same IVR without the engine."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine.switch.freeswitch import TEMPLATES

HERE = Path(__file__).resolve().parent
CALLER = HERE / "caller.xml"


def native_templates(
    folder: Path, port: int, *, beep: str = "tone_stream://%(200,0,440)", silence: str = "silence_stream://1"
) -> Path:
    """Insideline's switch configuration plus a profile on ``port`` whose calls the dialplan serves alone.

    ``beep`` is what it plays, ``silence`` what it plays before it collects: the files that the engine plays, where
    the two are compared. Start a ``FreeSwitch`` with ``templates=`` this: one switch, so that both ways are measured
    on the same.
    """
    target = folder / "templates"
    shutil.copytree(TEMPLATES, target)
    profile = (HERE / "native_profile.xml").read_text(encoding="utf-8").replace("@{bench_port}", str(port))
    (target / "sip_profiles" / "native.xml").write_text(profile, encoding="utf-8")
    dialplan = (HERE / "native_dialplan.xml").read_text(encoding="utf-8")
    dialplan = dialplan.replace("@{bench_beep}", beep).replace("@{bench_silence}", silence)
    (target / "dialplan" / "native.xml").write_text(dialplan, encoding="utf-8")
    return target
