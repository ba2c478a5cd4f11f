"""An order by phone on a real FreeSWITCH: by SIP, with RFC 2833 digits, and kill -9 behind the confirmation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.keyed import Keyed
from tests.sip.phone import Call

pytestmark = pytest.mark.switch


def regions(house: House) -> None:
    """Who supervises the regions, as in the shipped conf/engine.yaml."""
    settings = house.home / "conf" / "engine.yaml"
    more = """
departments:
  orders:
    regions:
      华南: {supervisor: 陈志强, agent: "8021", group: orders_huanan}
      西南: {supervisor: 罗敏, agent: "8023", group: orders_xinan}
"""
    settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")


def in_block(house: House, block: str) -> None:
    """Wait until the only call is at a step of that block that waits for keys, and the switch collects them."""

    def there() -> Any:
        call = (house.calls() or [{}])[0]
        if call.get("block") != block:
            return False
        return "play_and_get_digits" in house.switch(f"uuid_getvar {call['id']} current_application")

    house.wait_for(there, f"never came to {block}: {house.calls()}", 40)


def confirming(house: House) -> Call:
    """A dealer who has put twelve cases into an order, and is asked to confirm it."""
    caller = house.outside("13802880002").dial("8001").wait_answered(20)
    in_block(house, "greet")
    caller.press("1")
    in_block(house, "main")
    caller.press("5")
    in_block(house, "add")
    caller.press("10010001#")
    in_block(house, "quantity")
    caller.press("12#")
    in_block(house, "menu")
    caller.press("2")
    in_block(house, "confirm")
    return caller


def orders(house: House) -> list[dict[str, Any]]:
    return [row for row in house.cli("report", "orders.placed") if row["policy"]]


def test_an_order_is_placed_by_keys_over_sip_and_outlives_the_engine(house: House) -> None:
    regions(house)
    house.start("--switch", "freeswitch")
    caller = confirming(house)
    caller.press("1")
    house.kill()
    house.start("--switch", "freeswitch")
    house.wait_for(lambda: orders(house), "no order", 40)
    house.wait_for(
        lambda: (house.calls() or [{}])[0].get("block") in ("number", "main"), "the number is not told", 30
    )
    caller.hang_up()
    house.wait_for(lambda: house.get("/cdrs"), "no CDR", 30)
    [order] = orders(house)
    assert (order["dealer"], order["cases"], str(order["total"])) == ("44030002", 12, "426.00")
    [cdr] = house.cli("cdr", "list")
    assert (cdr["adopted"], cdr["flow"]) == (1, "orders/main")
    journal = house.cli("call", "show", cdr["call"])["journal"]
    done = [row for row in journal if row["kind"] == "command.done"]
    assert [row["data"]["command"] for row in done].count("orders.place") == 1
    assert any(row["kind"] == "flow.ordered" and row["data"]["number"] == order["number"] for row in journal)
    assert house.wait_for(lambda: [r for r in house.cli("recording", "list") if r["seconds"]], "no recording")
    assert house.stop() == 0


def test_a_supervisor_signs_in_by_pin_which_stands_nowhere(house: House) -> None:
    regions(house)
    house.start("--switch", "freeswitch")
    caller = Keyed(house, house.outside("13900000099"), "8011")
    caller.at("greet[2] menu", "2").at("sign_in[1] collect", "8021#").secret("sign_in[2] collect", "4821#")
    caller.reaches("main").hangs_up()
    house.wait_for(lambda: house.get("/cdrs"), "no CDR", 30)
    for path in (house.home / "var").rglob("*"):
        if path.is_file() and path.suffix not in (".wav", ".db", ".db-wal", ".db-shm"):
            assert "4821" not in path.read_text(encoding="utf-8", errors="replace").replace(path.name, ""), (
                path
            )
    [cdr] = house.cli("cdr", "list")
    assert "4821#" not in str(house.cli("call", "show", cdr["call"]))
