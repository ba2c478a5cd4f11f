"""queues.yaml and agents.yaml: what they may say, and how their mistakes are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.acd.config import AcdConfig, load, load_or_raise
from engine.records.pins import PinDesk
from engine.clock import Clock
from engine.errors import ConfigError

CONF = Path(__file__).parents[2] / "conf"

QUEUES = """\
grammar: 1
queues:
  desk:
    title: {zh-CN: 服务台, en: Desk}
    offer: 20s
    skills: {waybill: 1}
"""
AGENTS = """\
grammar: 1
agents:
  8012:
    name: 林晓燕
    phone: 1001
    queues: {desk: 2}
    skills: {waybill: 3}
    login: auto
"""


def check(tmp_path: Path, queues: str = QUEUES, agents: str = AGENTS) -> tuple[AcdConfig | None, list[str]]:
    (tmp_path / "queues.yaml").write_text(queues, encoding="utf-8")
    (tmp_path / "agents.yaml").write_text(agents, encoding="utf-8")
    config, faults = load(tmp_path / "queues.yaml", tmp_path / "agents.yaml")
    return config, [str(fault).removeprefix(f"{tmp_path}/") for fault in faults]


def test_the_samples_are_right_and_their_published_pins_are_theirs() -> None:
    config = load_or_raise(CONF / "queues.yaml", CONF / "agents.yaml")
    assert list(config.agents) == ["8012", "8013", "8014"]
    assert {agent.phone for agent in config.agents.values()} == {"1001", "1002", "1003"}
    assert config.queues["logistics"].offer == 20.0
    assert "waybill" in config.skills
    desk = PinDesk(Clock())
    text = (CONF / "agents.yaml").read_text(encoding="utf-8")
    for name, pin in (("8012", "4812"), ("8013", "4813"), ("8014", "4814")):
        assert f"{name}: {pin}" in text
        desk.check(name, "", config.agents[name].pin, pin)
    desk.close()


def test_a_pair_of_files_becomes_a_configuration(tmp_path: Path) -> None:
    config, faults = check(tmp_path)
    assert faults == []
    assert config is not None
    assert config.queues["desk"].name_in("en") == "Desk"
    assert config.queues["desk"].name_in("fr") == "服务台"
    assert config.agents["8012"].queues == {"desk": 2}
    assert config.agents["8012"].roles == ["agent"]


def test_a_list_of_queues_means_the_first_tier(tmp_path: Path) -> None:
    config, faults = check(tmp_path, agents=AGENTS.replace("{desk: 2}", "[desk]"))
    assert faults == []
    assert config is not None
    assert config.agents["8012"].queues == {"desk": 1}


LIST = "[desk, dask]"
HINT_DESK = 'did you mean "desk"?'


@pytest.mark.parametrize(
    ("file", "wrong", "right", "place", "words"),
    [
        ("agents", "{desk: 2}", "{dask: 2}", "agents.yaml:6:20 unknown-queue", HINT_DESK),
        ("agents", "{desk: 2}", LIST, "agents.yaml:6:20 unknown-queue", HINT_DESK),
        ("agents", "{desk: 2}", "{desk: 0}", "agents.yaml:6:20 number", "0 is not between 1 and 99"),
        ("agents", "waybill: 3", "waybill: x", "agents.yaml:7:23 number", "`x` is not a whole number"),
        ("agents", "phone: 1001", "pin: 4812", "agents.yaml:5:10 plain-pin", "this is not an argon2 hash"),
        ("agents", "login: auto", "roles: [boss]", "agents.yaml:8:13 unknown-choice", "none of the choices"),
        ("agents", "login: auto", "skils: {a: 1}", "agents.yaml:8:5 unknown-key", 'did you mean "skills"?'),
        ("agents", "    name: 林晓燕\n", "", "agents.yaml:3:3 missing-key", "`name` is missing"),
        ("agents", "waybill: 3", "weybill: 3", "queues.yaml:6:14 unknown-skill", 'did you mean "weybill"?'),
        ("queues", "offer: 20s", "offer: 20", "queues.yaml:5:12 duration", "say its unit: 20s"),
        ("queues", "offer: 20s", "offer: 1s", "queues.yaml:5:12 duration", "a phone rings between 3s and 3m"),
        ("queues", "offer: 20s", "strategy: longest", "queues.yaml:5:15 unknown-choice", "longest_idle"),
        (
            "queues",
            "offer: 20s",
            "service_level: {within: 20s, share: 80}",
            "queues.yaml:5:41 percentage",
            "write 80%",
        ),
        ("queues", "offer: 20s", "wrapup: 5s", "queues.yaml:5:5 unknown-key", 'did you mean "wrap_up"?'),
    ],
)
def test_every_mistake_is_found_at_its_place(
    tmp_path: Path, file: str, wrong: str, right: str, place: str, words: str
) -> None:
    texts = {"queues": QUEUES, "agents": AGENTS}
    assert wrong in texts[file]
    texts[file] = texts[file].replace(wrong, right)
    config, faults = check(tmp_path, **texts)
    assert config is None
    where, code = place.split()
    assert any(fault.startswith(f"{where}: error[{code}]: ") and words in fault for fault in faults), faults


def test_two_agents_who_are_in_from_the_start_do_not_share_a_phone(tmp_path: Path) -> None:
    second = AGENTS.partition("agents:\n")[2].replace("8012", "8013")
    config, faults = check(tmp_path, agents=AGENTS + second)
    assert config is None
    (fault,) = faults
    assert "error[phone-taken]: phone 1001 is 8012's, who is logged in at the start too" in fault
    config, faults = check(tmp_path, agents=AGENTS + second.replace("auto", "by_hand"))
    assert faults == []


def test_all_faults_of_both_files_are_raised_together(tmp_path: Path) -> None:
    check(tmp_path, QUEUES.replace("20s", "20"), AGENTS.replace("waybill: 3", "waybill: x"))
    with pytest.raises(ConfigError) as caught:
        load_or_raise(tmp_path / "queues.yaml", tmp_path / "agents.yaml")
    assert "error[duration]" in str(caught.value)
    assert "error[number]" in str(caught.value)


def test_secrets_of_an_agent_are_not_shown(tmp_path: Path) -> None:
    config, _ = check(tmp_path, agents=AGENTS + "    sip_password: s3cret-of-1001\n")
    assert config is not None
    assert config.agents["8012"].sip_password == "s3cret-of-1001"
    assert "s3cret" not in repr(config)
