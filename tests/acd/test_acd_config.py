"""queues.yaml and agents.yaml: what they may say, and how their mistakes are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.acd.config import AcdConfig, load, load_or_raise
from engine.acd.pins import PinDesk
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


@pytest.mark.parametrize(
    ("file", "wrong", "right", "fault"),
    [
        ("agents", "{desk: 2}", "{dask: 2}", 'agents.yaml:6:20: error[unknown-queue]: there is no queue `dask` (did you mean "desk"?)'),
        ("agents", "{desk: 2}", "[desk, dask]", 'agents.yaml:6:20: error[unknown-queue]: there is no queue `dask` (did you mean "desk"?)'),
        ("agents", "{desk: 2}", "{desk: 0}", "agents.yaml:6:20: error[number]: 0 is not between 1 and 99"),
        ("agents", "waybill: 3", "waybill: high", "agents.yaml:7:23: error[number]: `high` is not a whole number"),
        ("agents", "phone: 1001", "phone: 1001\n    pin: 4812", "agents.yaml:6:10: error[plain-pin]: this is not an argon2 hash (PINs never stand in a file as typed)"),
        ("agents", "login: auto", "login: auto\n    roles: [boss]", "agents.yaml:9:13: error[unknown-choice]: `boss` is none of the choices"),
        ("agents", "login: auto", "login: auto\n    skils: {a: 1}", 'agents.yaml:9:5: error[unknown-key]: `skils` is not known here (did you mean "skills"?)'),
        ("agents", "    name: 林晓燕\n", "", "agents.yaml:3:3: error[missing-key]: `name` is missing"),
        ("agents", "skills: {waybill: 3}", "skills: {weybill: 3}", 'queues.yaml:6:14: error[unknown-skill]: no agent has the skill `waybill` (did you mean "weybill"?)'),
        ("queues", "offer: 20s", "offer: 20", "queues.yaml:5:12: error[duration]: `20` is not a length of time (say its unit: 20s)"),
        ("queues", "offer: 20s", "offer: 1s", "queues.yaml:5:12: error[duration]: a phone rings between 3s and 3m"),
        ("queues", "offer: 20s", "strategy: round_robin", "queues.yaml:5:15: error[not-yet]: the strategy `round_robin` is not available yet (use longest_idle)"),
        ("queues", "offer: 20s", "strategy: longest_idel", 'queues.yaml:5:15: error[unknown-choice]: `longest_idel` is no strategy (did you mean "longest_idle"?)'),
        ("queues", "offer: 20s", "service_level: {within: 20s, share: 80}", "queues.yaml:5:41: error[percentage]: `80` is not a percentage (write 80%)"),
        ("queues", "offer: 20s", "wrapup: 5s", 'queues.yaml:5:5: error[unknown-key]: `wrapup` is not known here (did you mean "wrap_up"?)'),
    ],
)  # fmt: skip
def test_every_mistake_is_found_at_its_place(
    tmp_path: Path, file: str, wrong: str, right: str, fault: str
) -> None:
    texts = {"queues": QUEUES, "agents": AGENTS}
    assert wrong in texts[file]
    texts[file] = texts[file].replace(wrong, right)
    config, faults = check(tmp_path, **texts)
    assert config is None
    assert any(found.startswith(fault) for found in faults), faults


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
