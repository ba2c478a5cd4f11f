"""What SIPp and FreeSWITCH need for the IVR benchmark: a caller, and the same IVR without the engine."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine.switch.freeswitch import TEMPLATES

HERE = Path(__file__).resolve().parent
CALLER = HERE / "caller.xml"


def native_templates(folder: Path, port: int) -> Path:
    """Insideline's switch configuration plus a profile on ``port`` whose calls the dialplan serves alone.

    Start a ``FreeSwitch`` with ``templates=`` this: one switch, so that both ways are measured on the same.
    """
    target = folder / "templates"
    shutil.copytree(TEMPLATES, target)
    profile = (HERE / "native_profile.xml").read_text(encoding="utf-8").replace("@{bench_port}", str(port))
    (target / "sip_profiles" / "native.xml").write_text(profile, encoding="utf-8")
    shutil.copy(HERE / "native_dialplan.xml", target / "dialplan" / "native.xml")
    return target
