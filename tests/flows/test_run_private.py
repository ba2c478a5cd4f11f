"""What is private may be spoken, with the recording masked meanwhile, and is kept nowhere."""

from __future__ import annotations

from typing import Any

from engine.testing.home import Home

PLUGIN = '''
"""Pay."""
from decimal import Decimal
from engine.api import Context, Department, Private, Record, hookimpl, query

class Slip(Record):
    month: str
    net: Private[Decimal]

department = Department("pay")

@query(department, over="engine")
def slip(ctx: Context) -> Slip:
    return Slip(month="2026-10", net=Decimal("8123.45"))

@hookimpl
def register_department():
    return department
'''
FLOW = """
greet:
  - answer
  - record: service
  - query: {ask: pay.slip, into: slip, failed: end}
  - say: {prompt: amount, values: {value: "{slip.net}"}}
  - {journal: {event: heard, data: {month: "{slip.month}"}}}
  - menu: {prompt: Anything else., options: {1: end}, give_up: end}
end:
  - hangup
"""


def test_a_private_amount_is_spoken_with_the_recording_masked_and_is_nowhere(
    home: Home, centre_of: Any
) -> None:
    home.plugin("pay", PLUGIN).prompts(amount="It is {value:money}.").flow("pay/main", FLOW).number(
        "8000", "pay/main"
    )
    centre = centre_of(home)
    caller = centre.caller().dials("8000")
    caller.hears("amount", value="8123.45").hears("Anything else.").presses("1")
    assert caller.ended
    assert len(centre.one("recordings")["masks"] or "") > 4
    centre.nowhere("8123.45")
