"""queues.yaml and agents.yaml: what they may say, and how their mistakes are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.acd.config import AcdConfig, load, load_or_raise
from engine.acd.rules import Wanted
from engine.clock import Clock
from engine.errors import ConfigError
from engine.records.pins import PinDesk

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
    assert {"8012", "8013", "8014"} <= set(config.agents)
    assert {"1001", "1002", "1003"} <= {str(agent.phone) for agent in config.agents.values()}
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
    _, faults = check(tmp_path, **texts)
    where, code = place.split()
    assert any(fault.startswith(f"{where}: error[{code}]: ") and words in fault for fault in faults), faults


RULES = """\
grammar: 1
tiers: {diamond: 50, gold: 20}
ageing: {every: 60s, by: 5}
queues:
  desk:
    title: {en: Desk}
    strategy: most_skilled
    longest: 10m
    site: caller
    language: caller
    sticky: {wait: 20s, within: 7d}
    relax:
      - {after: 30s, level: 1}
      - {after: 1m, site: [north, south]}
      - {after: 90s, skills: any}
      - {after: 2m, site: any}
      - {after: 3m, language: any}
    overflow: {after: 4m, to: queue:reserve}
    calendar: office
    at_closing: {do: leave, grace: 5m}
  reserve:
    title: {en: Reserve}
    site: north
    sticky: 20s
    at_closing: stay
    overflow: {beyond: 20, to: flow:common/sorry}
"""
PEOPLE = """\
grammar: 1
agents:
  8012: {name: A, phone: 1001, site: north, skills: {waybill: 3}, queues: [desk]}
  8013: {name: B, phone: 1002, site: south, queues: {reserve: 1}}
"""


def test_the_rules_of_a_queue_are_read(tmp_path: Path) -> None:
    config, faults = check(tmp_path, RULES, PEOPLE)
    assert faults == []
    assert config is not None
    desk, reserve = config.queues["desk"], config.queues["reserve"]
    assert (config.tiers["gold"], config.ageing_of("desk").head_start(20)) == (20, 240.0)
    assert (desk.sticky.wait, desk.sticky.within, reserve.sticky.within) == (20.0, 604_800.0, 2_592_000.0)
    assert [step.after for step in desk.relax] == [30.0, 60.0, 90.0, 120.0, 180.0]
    wanted = Wanted({"waybill": 3, "customs": 1}, "en", ("north",))
    assert wanted.relaxed(desk.relax[0]) == Wanted({"waybill": 1, "customs": 1}, "en", ("north",))
    assert wanted.relaxed(desk.relax[1]).sites == ("north", "south")
    assert wanted.at_last(desk.relax) == Wanted({})
    assert str(desk.overflow.to) == "queue:reserve"
    assert (desk.at_closing.do, desk.at_closing.grace, reserve.at_closing.do) == ("leave", 300.0, "stay")


@pytest.mark.parametrize(
    ("wrong", "right", "place", "words"),
    [
        ("most_skilled", "most_skiled", "7:15 unknown-choice", 'did you mean "most_skilled"?'),
        ("after: 1m,", "after: 30s,", "14:17 relax-order", "each step comes later than the one before it"),
        ("after: 1m,", "after: 20s,", "14:17 relax-order", "20s after the caller, the one before it 30s"),
        (
            "{after: 30s, level: 1}",
            "{after: 30s}",
            "13:9 relax-nothing",
            "give level, skills, site or language",
        ),
        ("level: 1}", "level: 1, skills: any}", "13:40 relax-twice", "the same thing twice"),
        ("site: [north, south]", "level: 1", "14:28 relax-again", "level 1 does already by then"),
        (
            "{after: 2m, site: any}",
            "{after: 2m, level: 2}",
            "16:28 relax-again",
            "no skill is needed any more",
        ),
        (
            "{after: 3m, language: any}",
            "{after: 3m, site: south}",
            "17:27 relax-again",
            "all sites are called",
        ),
        ("    site: caller\n", "", "13:27 relax-again", "the queue has no `site`"),
        ("    language: caller\n", "", "16:31 relax-again", "the queue needs no `language`"),
        ("skills: any", "skills: none", "15:30 shape", "neither `any` nor skills with levels"),
        ("skills: any", "skills: {waybil: 1}", "15:31 unknown-skill", 'did you mean "waybill"?'),
        ("[north, south]", "[north, sauth]", "14:35 unknown-site", 'did you mean "south"?'),
        ("site: north\n", "site: norht\n", "23:11 unknown-site", 'did you mean "north"?'),
        ("queue:reserve", "queue:reserv", "18:31 unknown-queue", 'did you mean "reserve"?'),
        ("queue:reserve", "reserve", "18:31 goal", "write queue:NAME"),
        ("flow:common/sorry", "queue:desk", "18:31 overflow-circle", "desk -> reserve -> desk"),
        ("beyond: 20, ", "", "26:20 overflow-never", "this never happens"),
        ("by: 5", "by: 0", "3:26 number", "0 is not between 1 and 1000"),
        ("every: 60s", "every: 0s", "3:17 duration", "a wait counts every 1s to 1h"),
        ("gold: 20", "gold: much", "2:28 number", "`much` is not a whole number"),
        ("do: leave", "do: go", "20:22 unknown-choice", "none of the choices"),
        ("wait: 20s", "wait: 20", "11:20 duration", "say its unit: 20s"),
    ],
)
def test_every_mistake_in_the_rules_is_found_at_its_place(
    tmp_path: Path, wrong: str, right: str, place: str, words: str
) -> None:
    assert wrong in RULES
    _, faults = check(tmp_path, RULES.replace(wrong, right), PEOPLE)
    where, code = place.split()
    assert any(
        fault.startswith(f"queues.yaml:{where}: error[{code}]: ") and words in fault for fault in faults
    ), faults


def test_what_comes_after_the_longest_wait_is_warned_of(tmp_path: Path) -> None:
    config, faults = check(tmp_path, RULES.replace("longest: 10m", "longest: 2m"), PEOPLE)
    assert config is not None, "a flow may set a longer wait"
    assert [fault.partition(": ")[2].partition(":")[0] for fault in faults] == [
        "warning[relax-too-late]",
        "warning[relax-too-late]",
        "warning[overflow-too-late]",
    ]


def test_needs_that_no_agent_of_the_queue_ever_meets_are_warned_of(tmp_path: Path) -> None:
    queues = QUEUES.replace("waybill: 1", "waybill: 9") + "    relax: [{after: 30s, level: 5}]\n"
    config, (fault,) = check(tmp_path, queues)
    assert config is not None, "an agent may be given the skill while the engine runs"
    assert (
        "warning[served-by-nobody]: no agent of queue `desk` has waybill 5, which is needed to the end"
        in fault
    )
    assert check(tmp_path, queues.replace("level: 5", "level: 3"))[1] == []
    assert check(tmp_path, queues.replace("level: 5", "skills: any"))[1] == []


def test_two_agents_who_are_in_from_the_start_do_not_share_a_phone(tmp_path: Path) -> None:
    second = AGENTS.partition("agents:\n")[2].replace("8012", "8013")
    _, faults = check(tmp_path, agents=AGENTS + second)
    (fault,) = faults
    assert "error[phone-taken]: phone 1001 is 8012's, who is logged in at the start too" in fault
    _, faults = check(tmp_path, agents=AGENTS + second.replace("auto", "by_hand"))
    assert faults == []


def test_all_faults_of_both_files_are_raised_together(tmp_path: Path) -> None:
    check(tmp_path, QUEUES.replace("20s", "20"), AGENTS.replace("waybill: 3", "waybill: x"))
    with pytest.raises(ConfigError) as caught:
        load_or_raise(tmp_path / "queues.yaml", tmp_path / "agents.yaml")
    assert "error[duration]" in str(caught.value)
    assert "error[number]" in str(caught.value)


def test_what_is_faulty_by_itself_does_not_hide_what_the_files_say_of_one_another(tmp_path: Path) -> None:
    second = AGENTS.partition("agents:\n")[2].replace("8012", "8013").replace("1001", "1002")
    others = QUEUES.partition("queues:\n")[2].replace("desk:", "late:").replace("waybill", "wayble")
    late = others + "    overflow: {to: queue:desk, after: 60s}\n" + others.replace("late:", "lost:")
    late += "    overflow: {to: queue:dask, after: 60s}\n"
    queues = QUEUES.replace("20s", "20") + late
    config, faults = check(tmp_path, queues, AGENTS + second.replace("desk", "dekc"))
    said = [fault.partition("error[")[2].partition("`")[0] + fault.split("`")[1] for fault in faults]
    assert [one for one in said if "duration" not in one] == [
        "unknown-queue]: there is no queue dekc", "unknown-queue]: there is no queue dask",
        "unknown-skill]: no agent has the skill wayble", "unknown-skill]: no agent has the skill wayble",
    ]  # fmt: skip
    assert config is not None
    assert (config.whole, sorted(config.queues)) == (False, ["late", "lost"])
    # What a faulty agent can is not known, so nothing that is asked for is said to be missing.
    _, faults = check(tmp_path, queues, AGENTS.replace("waybill: 3", "waybill: x") + second)
    assert [fault for fault in faults if "unknown-skill" in fault] == []
    assert len([fault for fault in faults if "unknown-queue" in fault]) == 1


def test_secrets_of_an_agent_are_not_shown(tmp_path: Path) -> None:
    config, _ = check(tmp_path, agents=AGENTS + "    sip_password: s3cret-of-1001\n")
    assert config is not None
    assert config.agents["8012"].sip_password == "s3cret-of-1001"
    assert "s3cret" not in repr(config)
