"""Having something picked up: known facts offered, the rest keyed or dictated, a branch that must acknowledge."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.api import Refused

KNOWN = "+8613922200001"
NEW = "+8613800000000"


def new_address(line: Any, language: str = "zh-CN") -> Any:
    """A caller of whom nothing is known, up to the question what it is."""
    caller = line.chose("3", language, number=NEW)
    caller.hears("logistics/enter_area").presses("20#")
    caller.hears("logistics/which_district")
    entries = [caller.hears("logistics/district_entry") for _ in range(5)]
    caller.presses(next(str(said.values["key"]) for said in entries if said.values["part.name"] == "天河"))
    caller.says("4s")
    for prompt in ("dictate_address", "dictate_contact"):
        caller.hears(f"logistics/{prompt}").hears_beep()
        caller.hears("clip_review").presses("3")
    caller.hears("logistics/phone_is_yours").presses("1")
    return caller.hears("logistics/which_goods")


def measured(caller: Any) -> Any:
    caller.hears("logistics/enter_weight").presses("120*5#")
    caller.hears("logistics/enter_volume").presses("0*8#")
    return caller


def saved(line: Any, language: str = "zh-CN") -> Any:
    """A known caller who took a saved address, up to the confirmation."""
    caller = line.chose("3", language, number=KNOWN)
    caller.hears("logistics/use_saved").presses("1")
    caller.hears("logistics/which_address")
    caller.hears("logistics/address_entry")
    caller.hears("logistics/address_entry").presses("1")
    caller.hears("logistics/address_chosen")
    caller.hears("logistics/which_goods").presses("2")
    measured(caller).hears("logistics/branch_open")
    return caller.hears("logistics/order_it")


def acknowledged(centre: Any, extension: str) -> None:
    """The branch's phone rings, somebody answers, listens and presses 1."""
    phone = centre.simulator.phone(extension)
    assert phone.wait_ring(60.0) is not None
    phone.answer()
    for _ in range(40):
        centre.virtual.sleep(1.0)
        if centre.one("notices", group="logistics_branch")["state"] == "acknowledged":
            return
        phone.press("1")
    raise AssertionError("nobody heard the key")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_an_order_at_a_saved_address_is_acknowledged_by_its_branch(
    centre: Any, line: Any, office: Any, language: str
) -> None:
    caller = saved(line, language).presses("1")
    said = caller.hears("logistics/ordered_text")
    caller.hears("bye")
    order = centre.one("logistics.pickups")
    assert said.values["placed.number"] == order.number
    assert (order.contact, order.phone, order.district, order.goods) == (
        "周敏",
        "13922200001",
        "天河",
        "clothing",
    )
    assert (str(order.weight), str(order.volume), order.branch, order.state) == (
        "120.5",
        "0.8",
        "020001",
        "placed",
    )
    ticket = centre.one("tickets")
    assert (ticket["kind"], ticket["group"], ticket["escalate"]) == ("pickup", "logistics", "logistics_desk")
    [row] = office.report("logistics.pickups")
    assert (row["number"], row["notice"], row["acknowledged_by"]) == (order.number, "trying", "")
    acknowledged(centre, "1057")
    [row] = office.report("logistics.pickups")
    assert (row["notice"], row["acknowledged_by"]) == ("acknowledged", "phone 1057")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_keys_can_not_say_is_dictated_and_completed_by_the_desk(
    centre: Any, line: Any, office: Any, language: str
) -> None:
    caller = new_address(line, language).presses("5")
    caller.hears("logistics/dictate_goods").hears_beep()
    caller.hears("clip_review").presses("3")
    measured(caller).hears("logistics/branch_open")
    caller.hears("logistics/order_it").presses("1")
    caller.hears("logistics/ordered_text").hangs_up()
    order, ticket = centre.one("logistics.pickups"), centre.one("tickets")
    assert (order.address, order.contact, order.goods, order.phone) == ("", "", "", NEW)
    assert len(centre.rows("ticket_links", ticket=ticket["number"], kind="clip")) == 3
    done = office.does(
        "complete", ticket=ticket["number"], contact="李雷", address="五山路1号", goods="灯具", by="8012"
    )
    assert done == f"pick-up {order.number} is complete"
    order = centre.one("logistics.pickups")
    assert (order.state, order.address, order.contact, order.goods) == (
        "complete",
        "五山路1号",
        "李雷",
        "灯具",
    )
    assert centre.one("tickets")["state"] == "solved"
    # The next time it is offered.
    again = line.chose("3", number=NEW)
    again.hears("logistics/use_saved").presses("1")
    again.hears("logistics/address_chosen").hangs_up()


def test_the_desk_has_a_quarter_of_an_hour(centre: Any, line: Any) -> None:
    saved(line).presses("1").hears("logistics/ordered_text").hangs_up()
    acknowledged(centre, "1057")
    centre.clock.advance("14m")
    assert centre.one("tickets")["escalated"] is None
    centre.clock.advance("2m")
    assert centre.one("tickets", kind="pickup")["escalated"] is not None


def test_a_branch_that_does_not_acknowledge_is_rung_again_and_then_escalated(
    centre: Any, line: Any, office: Any
) -> None:
    saved(line).presses("1").hears("logistics/ordered_text").hangs_up()
    phone = centre.simulator.phone("1057")
    for _ in range(3):
        assert phone.wait_ring(120.0) is not None
        centre.virtual.sleep(31.0)
    centre.clock.advance("90s")
    ticket = centre.one("tickets", kind="unacknowledged")
    assert ticket["group"] == "exceptions"
    centre.clock.advance("11m")
    [row] = office.report("logistics.pickups")
    assert row["notice"] == "failed"


def test_a_price_leads_to_an_order_which_wins_the_lead(centre: Any, line: Any, office: Any) -> None:
    caller = line.chose("2", number=KNOWN)
    caller.hears("logistics/enter_origin").presses("020#")
    caller.hears("logistics/enter_destination").presses("028#")
    caller.hears("logistics/enter_weight").presses("300#")
    caller.hears("logistics/enter_volume").presses("1#")
    caller.hears("logistics/choose_extras").presses("1#")
    caller.hears("logistics/quote_intro").presses("*")
    while (said := caller.hears_next()).key != "logistics/quote_next":
        pass
    said.presses("1")
    caller.hears("logistics/use_saved").presses("1")
    caller.hears("logistics/which_address").presses("2")
    caller.hears("logistics/address_chosen")
    caller.hears("logistics/which_goods").presses("4")
    caller.hears("logistics/branch_open")  # weight and volume are known from the price
    caller.hears("logistics/order_it").presses("1")
    caller.hears("logistics/ordered_text").hangs_up()
    order = centre.one("logistics.pickups")
    assert (order.district, order.branch, str(order.weight)) == ("番禺", "020003", "300")
    assert centre.one("logistics.quotes").pickup == order.number
    assert centre.one("logistics.followups").outcome == "won"
    assert office.report("logistics.quotes")[0]["won"] == "100%"


def test_while_all_are_closed_the_caller_hears_when_the_branch_opens(centre: Any, line: Any) -> None:
    centre.virtual.shift_wall(timedelta(hours=14))  # eleven in the night
    caller = line.chose("3", number=NEW)
    caller.hears("logistics/enter_area").presses("0755#")
    caller.hears("logistics/which_district").presses("1")
    caller.says("4s")
    for prompt in ("dictate_address", "dictate_contact"):
        caller.hears(f"logistics/{prompt}").hears_beep()
        caller.hears("clip_review").presses("3")
    caller.hears("logistics/phone_is_yours").presses("2")
    caller.hears("logistics/enter_phone").presses("075588881234#")
    caller.hears("read_back").presses("1")
    caller.hears("logistics/which_goods").presses("1")
    said = measured(caller).hears("logistics/branch_opens")
    assert "十一月二十四日早上八点半" in said.text or "十一月二十四日上午八点半" in said.text


@pytest.mark.parametrize(("key", "goods"), [("1", "general"), ("3", "electronics"), ("4", "furniture")])
def test_the_goods_are_keyed(centre: Any, line: Any, key: str, goods: str) -> None:
    caller = new_address(line).presses(key)
    measured(caller).hears("logistics/branch_open")
    caller.hears("logistics/order_it").presses("1")
    caller.hears("logistics/ordered_text").hangs_up()
    assert centre.one("logistics.pickups").goods == goods


def test_who_withholds_the_number_is_asked_for_one(line: Any) -> None:
    caller = line.chose("3", number="")
    caller.hears("logistics/enter_area").presses("028#")
    caller.hears("logistics/which_district").presses("1")
    caller.says("4s")
    for prompt in ("dictate_address", "dictate_contact"):
        caller.hears(f"logistics/{prompt}").hears_beep()
        caller.hears("clip_review").presses("3")
    caller.hears("logistics/enter_phone").hangs_up()


def test_who_wants_a_new_address_is_asked_for_it(line: Any) -> None:
    caller = line.chose("3", number=KNOWN)
    caller.hears("logistics/use_saved").presses("2")
    caller.hears("logistics/enter_area").hangs_up()


def test_who_does_not_confirm_has_ordered_nothing(centre: Any, line: Any) -> None:
    saved(line).presses("2").hears("logistics/main_menu").hangs_up()
    assert centre.rows("logistics.pickups") == centre.rows("tickets") == []


def test_who_hangs_up_before_the_confirmation_has_ordered_nothing(centre: Any, line: Any) -> None:
    saved(line).hangs_up()
    assert centre.rows("logistics.pickups") == centre.rows("tickets") == centre.rows("notices") == []


def test_where_we_have_no_branch_the_desk_helps(centre: Any, line: Any) -> None:
    caller = line.chose("3")
    caller.hears("logistics/enter_area").presses("010#")
    caller.hears("logistics/no_branch_there")
    caller.hears("connecting")


@pytest.mark.parametrize(
    "nothing", ["enter_area", "which_district", "dictate_address", "which_goods", "order_it"]
)
def test_who_says_and_presses_nothing_is_led_to_the_desk(line: Any, nothing: str) -> None:
    if nothing == "order_it":
        caller = saved(line)
    elif nothing == "which_goods":
        caller = new_address(line)
    else:
        caller = line.chose("3")
        caller.hears("logistics/enter_area")
        if nothing != "enter_area":
            caller.presses("020#")
            caller.hears("logistics/which_district")
        if nothing == "dictate_address":
            caller.says("0s")
            caller.presses("1").hears("logistics/dictate_address")
    while (said := caller.hears_next()).key != "connecting":
        assert said.key.split("/")[-1] in (nothing, "silent", "district_entry")


@pytest.mark.parametrize("contract", ["Customers", "Branches", "Pickups"])
def test_a_system_that_does_not_answer_leads_to_the_desk(centre: Any, line: Any, contract: str) -> None:
    if contract == "Pickups":
        caller = saved(line)
        centre.adapter("logistics.Pickups").hangs()
        caller.presses("1")
    else:
        centre.adapter(f"logistics.{contract}").hangs()
        caller = line.chose("3")
        if contract == "Branches":
            caller.hears("logistics/enter_area").presses("020#")
    caller.hears("logistics/trouble_desk")
    caller.hears("connecting")


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_killed_engine_orders_once_and_tells_the_branch_once(centre: Any, line: Any, point: str) -> None:
    caller = saved(line).presses("1")
    if point == "after":
        caller.hears("logistics/ordered_text")
    centre.engine.kill()
    centre.engine.start()
    caller.hears("logistics/ordered_text" if point == "before" else "bye")
    assert len(centre.rows("logistics.pickups")) == len(centre.rows("tickets", kind="pickup")) == 1
    assert len(centre.rows("notices", group="logistics_branch")) == 1


def test_an_order_that_there_is_not_can_not_be_completed(office: Any) -> None:
    with pytest.raises(Refused, match="unknown"):
        office.does("complete", ticket="123456789", by="8012")
