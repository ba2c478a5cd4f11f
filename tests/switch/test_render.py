"""What is written for FreeSWITCH from settings, phones and trunks."""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.errors import ConfigError, UnsafeText
from engine.schema.shapes import load_file
from engine.switch.freeswitch import TEMPLATES
from engine.switch.render import Templates, Xml, fill, render
from engine.switch.settings import Fallback, Phone, SwitchSettings, Trunk, TrunksFile

ROOT = TEMPLATES.parent


def rendered(folder: Path, settings: SwitchSettings | None = None, **more: Any) -> Path:
    phones = more.pop("phones", [Phone(extension="1001", name="Li Na")])
    values: dict[str, Any] = {
        "phones": phones,
        "passwords": {phone.extension: "secret" for phone in phones},
        "trunks": [Trunk(name="pstn", host="192.0.2.20")],
        "socket_password": "a-password",
        **more,
    }
    render(Templates(TEMPLATES), folder, settings or SwitchSettings(), **values)
    return folder / "conf"


def whole(conf: Path) -> ET.Element:
    """The configuration as FreeSWITCH reads it: every include taken in."""

    def read(path: Path) -> str:
        def include(found: re.Match[str]) -> str:
            files = sorted(path.parent.glob(found[1]))
            assert files or "external" not in str(path)
            return "".join(read(file) for file in files)

        return re.sub(r'<X-PRE-PROCESS cmd="include" data="([^"]+)"/>', include, path.read_text())

    return ET.fromstring(read(conf / "freeswitch.xml"))


def param(element: ET.Element | None, name: str) -> str | None:
    assert element is not None
    found = element.find(f".//param[@name='{name}']")
    return None if found is None else found.get("value")


def test_the_rendered_configuration_is_well_formed_and_has_no_hole_left(tmp_path: Path) -> None:
    conf = rendered(tmp_path)
    tree = whole(conf)
    assert {section.get("name") for section in tree} == {"configuration", "dialplan", "directory"}
    for file in conf.rglob("*.xml"):
        assert "@{" not in file.read_text(), file


def test_what_makes_it_safe_is_there(tmp_path: Path) -> None:
    tree = whole(rendered(tmp_path))
    switch = tree.find(".//configuration[@name='switch.conf']")
    assert param(switch, "api-expansion") == "false"
    assert param(switch, "loglevel") == "warning"
    socket = tree.find(".//configuration[@name='event_socket.conf']")
    assert param(socket, "listen-ip") == "127.0.0.1"
    assert param(socket, "apply-inbound-acl") == "loopback.auto"
    for name in ("internal", "external"):
        profile = tree.find(f".//profile[@name='{name}']")
        assert param(profile, "enable-chat") == "false"
        assert param(profile, "auth-calls") == "true"
        assert param(profile, "accept-blind-auth") == "false"
        assert param(profile, "accept-blind-reg") == "false"
        assert param(profile, "disable-transfer") == "true"
        assert param(profile, "rtp-timer-name") == "soft"
    assert param(tree.find(".//profile[@name='external']"), "auth-calls-acl-only") == "true"


def test_every_module_that_is_loaded_is_one_we_can_name_a_use_for(tmp_path: Path) -> None:
    tree = whole(rendered(tmp_path))
    loaded = [module.get("module") for module in tree.findall(".//load")]
    assert loaded == [
        "mod_logfile", "mod_event_socket", "mod_commands", "mod_dptools", "mod_dialplan_xml", "mod_hash",
        "mod_sndfile", "mod_tone_stream", "mod_local_stream", "mod_lua", "mod_conference",
        "mod_loopback", "mod_opus", "mod_sofia",
    ]  # fmt: skip


def test_every_call_is_marked_and_given_a_way_out_before_it_is_parked(tmp_path: Path) -> None:
    settings = SwitchSettings(fallback=Fallback(after=11))
    tree = whole(rendered(tmp_path, settings))
    for context, origin in (("internal", "internal"), ("trunk", "trunk")):
        extension = tree.find(f".//context[@name='{context}']/extension[@name='call']")
        assert extension is not None
        actions = [(a.get("application"), a.get("data")) for a in extension.iter("action")]
        application, marks = actions[0]
        assert application == "multiset"
        assert marks is not None
        for expected in (
            f"il_origin={origin}", "il_call=true", "il_dnis=$1", "playback_terminators=none",
            "hangup_after_bridge=false", "park_after_bridge=true",
        ):  # fmt: skip
            assert expected in marks.split(" ")
        assert actions[-1] == ("park", None)
        assert "answer" not in [application for application, _ in actions]
        led = extension.find("condition[@field='${il_led}']")
        assert led is not None
        assert (led.get("expression"), led.get("break")) == ("^true$", "never")
        (timer,) = led.iter("anti-action")
        assert (timer.get("application"), timer.get("data")) == (
            "sched_transfer", "+11 fallback XML fallback",
        )  # fmt: skip


@pytest.mark.parametrize("number", ["8004", "+8613800000000", "*98#", "hr.desk_1-a"])
def test_a_number_that_people_dial_reaches_the_engine(tmp_path: Path, number: str) -> None:
    assert re.search(_calls_pattern(tmp_path), number)


@pytest.mark.parametrize(
    "number", ["", "${system(x)}", "8004;x=1", "a b", "8004\n", "x" * 41, "8004,park", "ä"]
)
def test_a_number_of_odd_characters_is_turned_away(tmp_path: Path, number: str) -> None:
    found = re.search(_calls_pattern(tmp_path), number)
    assert found is None or "\n" in number  # PCRE and Python agree that $ also stands before a last newline


def _calls_pattern(tmp_path: Path) -> str:
    condition = whole(rendered(tmp_path)).find(".//context[@name='trunk']/extension[@name='call']/condition")
    assert condition is not None
    return condition.get("expression") or "nothing"


def test_without_a_trunk_nothing_listens_for_one(tmp_path: Path) -> None:
    conf = rendered(tmp_path, trunks=[])
    assert not (conf / "sip_profiles" / "external.xml").exists()
    assert whole(conf).find(".//profile[@name='external']") is None


def test_a_trunk_is_let_in_by_its_own_list_of_addresses(tmp_path: Path) -> None:
    trunks = [
        Trunk(name="pstn", host="sip.example.com", addresses=("192.0.2.20", "198.51.100.0/28")),
        Trunk(name="branch", host="203.0.113.5"),
    ]
    tree = whole(rendered(tmp_path, trunks=trunks))
    lists = {
        element.get("name"): (element.get("default"), [node.get("cidr") for node in element])
        for element in tree.findall(".//network-lists/list")
    }
    assert lists == {
        "pstn": ("deny", ["192.0.2.20/32", "198.51.100.0/28"]),
        "branch": ("deny", ["203.0.113.5/32"]),
    }
    applied = tree.findall(".//profile[@name='external']/settings/param[@name='apply-inbound-acl']")
    assert [element.get("value") for element in applied] == ["pstn", "branch"]


def test_a_trunk_can_register(tmp_path: Path) -> None:
    trunk = Trunk.model_validate(
        {
            "name": "pstn",
            "host": "192.0.2.20",
            "register": "yes",
            "username": "88886666",
            "password": "p<&\"'$${x}",
        }
    )
    gateway = whole(rendered(tmp_path, trunks=[trunk])).find(".//gateway[@name='pstn']")
    assert param(gateway, "register") == "true"
    assert param(gateway, "username") == "88886666"
    assert param(gateway, "password") == "p<&\"'$${x}"
    assert "$${" not in (tmp_path / "conf" / "sip_profiles" / "external.xml").read_text()


@pytest.mark.parametrize(
    "trunk",
    [
        {"name": "pstn", "host": "192.0.2.20", "addresses": ["0.0.0.0/0"]},
        {"name": "pstn", "host": "192.0.2.20", "addresses": ["192.0.2.999"]},
        {"name": "pstn", "host": "192.0.2.20", "register": True},
        {"name": "p stn", "host": "192.0.2.20"},
        {"name": "pstn", "host": "192.0.2.20;transport=tls"},
        {"name": "pstn", "host": "192.0.2.20", "port": 70000},
        {"name": "pstn", "host": "192.0.2.20", "pasword": "x"},
    ],
)
def test_a_trunk_that_makes_no_sense_is_refused(trunk: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Trunk.model_validate(trunk)


def test_the_directory_holds_digests_and_no_password(tmp_path: Path) -> None:
    phones = [Phone(extension="1001", name='Zoë "Z" <&>'), Phone(extension="1002")]
    passwords = {"1001": "one-secret", "1002": "two-secret"}
    conf = rendered(tmp_path, phones=phones, passwords=passwords)
    user = whole(conf).find(".//domain[@name='local']//user[@id='1001']")
    assert param(user, "a1-hash") == hashlib.md5(b"1001:local:one-secret").hexdigest()
    assert user is not None
    variables = {v.get("name"): v.get("value") for v in user.iter("variable")}
    assert variables["effective_caller_id_name"] == 'Zoë "Z" <&>'
    assert variables["il_phone"] == "1001"
    assert not any("secret" in file.read_text() for file in conf.rglob("*.xml"))


def test_the_fallback_apologises_with_a_tone_a_recording_or_another_number(tmp_path: Path) -> None:
    def actions(settings: SwitchSettings) -> list[tuple[str | None, str | None]]:
        context = whole(rendered(tmp_path, settings)).find(".//context[@name='fallback']")
        assert context is not None
        return [(a.get("application"), a.get("data")) for a in context.iter("action")]

    plain = actions(SwitchSettings())
    assert ("set", "il_fallback=true") in plain
    assert [name for name, _ in plain[-4:]] == ["answer", "sleep", "playback", "hangup"]
    assert (plain[-2][1] or "").startswith("tone_stream://")

    recorded = actions(SwitchSettings(fallback=Fallback(apology=Path("/srv/sorry.wav"))))
    assert ("playback", "/srv/sorry.wav") in recorded

    elsewhere = actions(SwitchSettings(fallback=Fallback(number="+8688880000", trunk="pstn")))
    assert ("bridge", "sofia/gateway/pstn/+8688880000") in elsewhere
    assert elsewhere.index(("bridge", "sofia/gateway/pstn/+8688880000")) < len(elsewhere) - 4


def test_a_fallback_through_an_unknown_trunk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mobile"):
        rendered(tmp_path, SwitchSettings(fallback=Fallback(number="123", trunk="mobile")))


@pytest.mark.parametrize(
    "settings",
    [
        {"phones": {"port": 5080}},
        {"phones": {"ip": "everywhere"}},
        {"sound": {"first": 20000, "last": 20010}},
        {"fallback": {"number": "123"}},
        {"fallback": {"number": "1,park", "trunk": "pstn"}},
        {"fallback": {"apology": "/srv/${system(x)}.wav"}},
        {"event_socket": 0},
        {"fallback": {"after": "soon"}},
        {"fallback": {"silence": "5s"}},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SwitchSettings.model_validate(settings)


def test_settings_may_be_written_as_people_write_them() -> None:
    settings = SwitchSettings.model_validate(
        {
            "event_socket": "8022",
            "fallback": {"after": "12s", "silence": "40s"},
            "phones": {"ip": "192.0.2.1", "ping": "1m"},
        }
    )
    assert settings.event_socket == 8022
    assert (settings.fallback.after, settings.fallback.silence) == (12, 40)
    assert settings.phones.ping == 60


def test_the_shipped_trunks_file_is_read_without_a_fault() -> None:
    trunks, faults = load_file(ROOT / "conf" / "trunks.yaml", TrunksFile)
    assert faults == []
    assert trunks is not None
    assert trunks.trunks == ()


def test_a_value_is_escaped_and_a_fragment_is_not() -> None:
    assert fill('<a b="@{x}"/>@{y}', {"x": "\"<&'>$", "y": Xml("<c/>")}) == (
        '<a b="&quot;&lt;&amp;&apos;&gt;&#36;"/><c/>'
    )


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\x85b", "a\u2028b"])
def test_control_characters_never_reach_the_configuration(value: str) -> None:
    with pytest.raises(UnsafeText):
        fill("@{x}", {"x": value})


def test_a_hole_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("@{nothing}", {})


def test_nobody_else_can_read_what_was_written(tmp_path: Path) -> None:
    for file in rendered(tmp_path / "run").rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file
