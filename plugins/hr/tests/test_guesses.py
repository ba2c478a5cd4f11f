"""Ten thousand PINs guessed over many calls and numbers: what locks is the employee, and each number that guesses."""

from __future__ import annotations

from typing import Any

from engine.errors import LoginRefused

EMPLOYEE, PIN = "30012", "730128"


def test_ten_thousand_guesses_over_many_numbers_get_nowhere(line: Any, centre: Any, monkeypatch: Any) -> None:
    """The very desk that `identify` asks is given 10,000 different PINs from 500 numbers, ten in a second, the
    right one among them: no more than a few are ever compared, and all others are refused as locked before that."""
    parties = centre.app.parties
    party = parties.by_code(EMPLOYEE, "employee")
    stored = parties._pin_of(party)
    assert stored
    compared: list[str] = []
    verify = parties.desk._verify

    def counted(stored: str, pin: str) -> bool:
        compared.append(pin)
        return pin == PIN if len(compared) > 3 else verify(stored, pin)  # argon2 itself is tried elsewhere

    monkeypatch.setattr(parties.desk, "_verify", counted)
    guesses = [f"{number:06d}" for number in range(725_000, 735_000)]
    assert PIN in guesses
    reasons: dict[str, int] = {}
    for nth, guess in enumerate(guesses):
        try:
            parties.desk.check(str(party.id), parties.hidden(f"+86139{nth % 500:08d}"), stored, guess)
        except LoginRefused as refused:
            reasons[refused.reason] = reasons.get(refused.reason, 0) + 1
        else:
            raise AssertionError(f"{guess} was let in")
        if nth % 50 == 49:
            centre.clock.advance("5s")
    # Five, and after a quarter of an hour five more.
    assert len(compared) <= 10
    assert PIN not in compared
    assert reasons["locked"] >= len(guesses) - len(compared)
    assert parties.locked(party) > 0
    # On the phone it is the same, from a number that never guessed, with the right PIN.
    caller = line.main(number="+8613902880077").presses("1")
    line.signs_in(caller, EMPLOYEE)
    caller.hears("hr/locked").hangs_up()
    for what in (PIN, "725001"):
        centre.nowhere(what)


def test_one_number_that_tries_everybody_is_locked_too(line: Any, centre: Any) -> None:
    caller = line.main().presses("1")
    heard = ""
    for employee in ("30011", "30013", "30014"):
        line.signs_in(caller, employee, "000000")
        heard = caller.hears_next()._said.key
    assert heard == "hr/not_known"
    caller.hangs_up()
    caller = line.main().presses("1")
    for employee in ("30015", "30016"):
        line.signs_in(caller, employee, "000000")
        heard = caller.hears_next()._said.key
    assert heard == "hr/locked"
    caller.hangs_up()
    caller = line.main().presses("1")
    line.signs_in(caller, "30012")
    caller.hears("hr/locked").hangs_up()
