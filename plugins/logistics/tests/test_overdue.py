"""Each working morning the desk is told of overdue shipments, and that becomes a ticket."""

from __future__ import annotations

from datetime import timedelta
from typing import Any


def overdue_notices(centre: Any) -> list[Any]:
    """What the desk is told of shipments that are late; other departments have schedules of the same morning."""
    return [row for row in centre.rows("notices") if row["prompt"] == "logistics/overdue_notice"]


def test_on_the_next_working_morning_the_desk_gets_a_ticket_about_what_is_overdue(centre: Any) -> None:
    assert centre.rows("notices") == []
    centre.clock.advance("2s")
    centre.virtual.shift_wall(timedelta(hours=23))  # Monday nine o'clock to Tuesday eight
    centre.clock.advance("61s")
    assert centre.rows("notices") == []
    centre.virtual.shift_wall(timedelta(minutes=31))
    centre.clock.advance("90s")
    [notice] = overdue_notices(centre)
    assert (notice["group"], notice["state"]) == ("logistics_desk", "told")
    ticket = centre.one("tickets")
    assert (ticket["kind"], ticket["group"], ticket["department"]) == ("notice", "logistics", "logistics")
    done = [row.data["schedule"] for row in centre.journal(kind="schedule.done")]
    assert done.count("logistics.tell_overdue") == 1


def test_a_restart_in_the_same_morning_tells_nobody_twice_and_a_missed_one_is_made_up_for(
    centre: Any,
) -> None:
    centre.clock.advance("2s")
    centre.engine.kill()
    centre.virtual.shift_wall(timedelta(hours=24))  # half past eight passed without an engine
    centre.engine.start()
    centre.clock.advance("1m")
    assert len(overdue_notices(centre)) == 1
    centre.engine.kill()
    centre.engine.start()
    centre.clock.advance("90s")
    assert len(overdue_notices(centre)) == 1
