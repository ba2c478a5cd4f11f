"""What agents.yaml and queues.yaml name in other files is looked up there."""

from __future__ import annotations

from engine.app.installation import read_installation
from engine.clock import VirtualClock
from engine.testing.home import Home
from tests.flows.shop import shop_home


def test_trunks_groups_and_prompts_that_are_not_there_are_found(home: Home) -> None:
    made = shop_home(home, "greet:\n  - hangup\n")
    made.write("conf/trunks.yaml", "grammar: 1\ntrunks: [{name: pstn, host: 192.0.2.7}]\n")
    made.write(
        "conf/queues.yaml", "grammar: 1\nqueues:\n  desk: {title: {en: Desk}, whisper: agent_wisper}\n"
    )
    made.write(
        "conf/agents.yaml",
        "grammar: 1\nrules: {tell: supervisors}\nagents:\n"
        '  201: {name: One, phone: {number: "+8613900000001", trunk: pstm}, queues: [desk]}\n',
    )
    found = {fault.code for fault in read_installation(made.folder, VirtualClock()).faults.errors}
    assert {"unknown-trunk", "unknown-group", "unknown-prompt"} <= found
