"""What SIPp and FreeSWITCH need for the benchmarks of calls: callers, the IVR without the engine, the peer's queue."""

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


def callcenter_templates(folder: Path, port: int, *, music: str) -> Path:
    """Insideline's switch configuration plus mod_callcenter with one queue, and a profile on ``port`` that leads there.

    ``music`` is what its callers hear.
    """
    target = folder / "templates"
    shutil.copytree(TEMPLATES, target)
    for name, goal in (
        ("native_profile", "sip_profiles/native"),
        ("callcenter_dialplan", "dialplan/callcenter"),
        ("callcenter_config", "autoload_configs/callcenter.conf"),
    ):
        text = (HERE / f"{name}.xml").read_text(encoding="utf-8")
        text = text.replace("@{bench_port}", str(port)).replace("@{bench_music}", music)
        (target / f"{goal}.xml").write_text(text, encoding="utf-8")
    modules = target / "autoload_configs" / "modules.conf.xml"
    text = modules.read_text(encoding="utf-8")
    modules.write_text(
        text.replace("  </modules>", '    <load module="mod_callcenter"/>\n  </modules>'), encoding="utf-8"
    )
    return target
