"""The fixture ``switch``: every contract test runs on the simulator and on a real FreeSWITCH."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.rig import Rig


@pytest.fixture(params=["simulator", pytest.param("freeswitch", marks=pytest.mark.switch)])
def switch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    rig: Rig
    if request.param == "freeswitch":
        from tests.contract.real import FreeSwitchRig

        rig = FreeSwitchRig(request.getfixturevalue("real_switch"), tmp_path)
    else:
        from tests.contract.simulated import SimulatorRig

        rig = SimulatorRig(tmp_path)
    yield rig
    rig.close()
