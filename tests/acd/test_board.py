"""The conformance suite of boards: what any board must do, the one in memory and a shared one alike.

A new board joins by a line in ``BOARDS``. The last test holds it against a model that does everything the
slow and obvious way.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from engine.acd.board import Beside, Board, By, Match, Seat, Ticket, alternatives, has, lacks, needs
from engine.acd.memory import MemoryBoard

BOARDS: dict[str, Callable[[], Board]] = {"memory": MemoryBoard}


@pytest.fixture(params=sorted(BOARDS))
def board(request: pytest.FixtureRequest) -> Board:
    return BOARDS[request.param]()


def seat(
    board: Board, agent: str, *, skills: Mapping[str, int] | None = None, tier: int = 1, **queues: int
) -> None:
    board.seat(Seat(agent, queues or {"desk": tier}, has(skills or {}, ())))
    board.present(agent, True)


def free(board: Board, agent: str, rank: float = 0.0, *queues: str) -> None:
    board.free(agent, dict.fromkeys(queues or ("desk",), rank))


def join(
    board: Board,
    call: str,
    joined: float = 0.0,
    *,
    queue: str = "desk",
    priority: int = 0,
    prefer: str = "",
    **skills: int,
) -> None:
    ticket = Ticket(call, queue, joined, priority, needs(skills), prefer, head_start=12.0 * priority)
    board.join(ticket)


def staffed(board: Board, call: str) -> int:
    (ticket,) = [ticket for ticket in board.line("desk") if ticket.call == call]
    return board.staffed("desk", ticket.needs)


def pair(match: Match | None) -> tuple[str, str] | None:
    return (match.call, match.agent) if match else None


def test_equal_needs_compare_equal_whatever_their_order() -> None:
    assert needs({"a": 1, "b": 2}, "en") == needs({"b": 2, "a": 1}, "en")
    assert needs({"a": 0}) == ()
    assert has({"a": 2, "b": 0}, ["en"]) == {"skill:a": 2, "language:en": 1}


def test_a_match_reserves_both(board: Board) -> None:
    seat(board, "x")
    free(board, "x")
    join(board, "a")
    join(board, "b", 1.0)
    match = board.match_agent("x")
    assert match == Match("a", "x", "desk", position=1, free=1, able=1)
    assert board.match_agent("x") is None
    assert board.match_call("a") is None
    assert board.match_call("b") is None
    assert board.free_agents() == []
    assert board.position("a") == 1
    assert board.waiting("desk") == 2


def test_a_caller_who_is_put_back_is_first_again_and_one_who_leaves_is_gone(board: Board) -> None:
    seat(board, "x")
    join(board, "a")
    join(board, "b", 1.0)
    free(board, "x")
    board.match_agent("x")
    board.put_back("a")
    board.put_back("a")
    assert board.match_agent("x") is None, "it is not free any more"
    free(board, "x")
    assert pair(board.match_agent("x")) == ("a", "x")
    board.leave("a")
    free(board, "x")
    assert pair(board.match_agent("x")) == ("b", "x")
    board.leave("b")
    assert board.waiting("desk") == 0
    assert list(board.line("desk")) == []


def test_a_claimed_caller_is_offered_to_nobody_else(board: Board) -> None:
    seat(board, "x")
    join(board, "a")
    board.claim("a")
    free(board, "x")
    assert board.match_agent("x") is None
    assert board.match_call("a") is None
    board.put_back("a")
    assert pair(board.match_call("a")) == ("a", "x")


def test_order_is_by_age_with_the_head_start_then_by_arrival(board: Board) -> None:
    seat(board, "x")
    for call, joined, priority in (("a", 5.0, 0), ("b", 3.0, 0), ("c", 9.0, 7), ("d", 9.0, 7), ("e", 3.0, 0)):
        join(board, call, joined, priority=priority)
    assert [ticket.call for ticket in board.line("desk")] == ["c", "d", "b", "e", "a"]
    assert [board.position(call) for call in "cdbea"] == [1, 2, 3, 4, 5]
    served = []
    while board.waiting("desk"):
        free(board, "x")
        match = board.match_agent("x")
        assert match is not None
        served.append(match.call)
        board.leave(match.call)
    assert served == ["c", "d", "b", "e", "a"]


def test_levels_are_a_filter(board: Board) -> None:
    seat(board, "low", skills={"waybill": 1})
    seat(board, "high", skills={"waybill": 3, "customs": 1})
    free(board, "low", 0.0)
    free(board, "high", 1.0)
    join(board, "a", waybill=2)
    assert staffed(board, "a") == 1
    match = board.match_call("a")
    assert match == Match("a", "high", "desk", position=1, free=2, able=1, rank=1.0)
    join(board, "b", 1.0, customs=1, waybill=1)
    assert board.match_agent("low") is None
    join(board, "c", 2.0, waybill=1)
    match = board.match_agent("low")
    assert match == Match("c", "low", "desk", position=3, free=1, able=1)


def test_the_lower_rank_and_before_it_the_lower_tier_is_first(board: Board) -> None:
    for agent, tier, rank in (("a", 2, 0.0), ("b", 1, 9.0), ("c", 1, 3.0)):
        seat(board, agent, tier=tier)
        free(board, agent, rank)
    order = []
    for call in "123":
        join(board, call)
        match = board.match_call(call)
        assert match is not None
        order.append(match.agent)
    assert order == ["c", "b", "a"]


def test_a_preferred_agent_is_taken_if_free_and_able(board: Board) -> None:
    seat(board, "x")
    seat(board, "y", skills={"waybill": 1})
    free(board, "x", 0.0)
    free(board, "y", 9.0)
    join(board, "a", prefer="y")
    assert pair(board.match_call("a")) == ("a", "y")
    free(board, "y", 9.0)
    join(board, "b", prefer="nobody")
    assert pair(board.match_call("b")) == ("b", "x")
    free(board, "x", 0.0)
    join(board, "c", prefer="x", waybill=1)
    assert pair(board.match_call("c")) == ("c", "y")


def test_an_agent_of_several_queues_takes_from_the_nearest_that_holds_somebody(board: Board) -> None:
    seat(board, "x", near=1, also_near=1, far=2)
    queues = ("near", "also_near", "far")
    join(board, "old", 0.0, queue="far")
    join(board, "young", 50.0, queue="near")
    join(board, "middle", 20.0, queue="also_near")
    served = []
    for _ in range(3):
        free(board, "x", 0.0, *queues)
        match = board.match_agent("x")
        assert match is not None
        served.append(match.call)
        board.leave(match.call)
    assert served == ["middle", "young", "old"]
    assert board.free_agents() == []


def test_many_able_agents_and_few_are_chosen_by_the_same_rule(board: Board) -> None:
    for number in range(300):
        seat(board, f"x{number}", skills={"rare": 1} if number % 100 == 7 else {})
        free(board, f"x{number}", float(1000 - number))
    join(board, "many")
    assert pair(board.match_call("many")) == ("many", "x299")
    join(board, "few", rare=1)
    assert pair(board.match_call("few")) == ("few", "x207")


def test_sites_are_alternatives_and_an_agent_has_itself(board: Board) -> None:
    assert needs({}, "", ["south", "north", "south"]) == (("site:north|south", 1),)
    assert alternatives("site:north|south") == ("site:north", "site:south")
    assert lacks({"skill:a": 1, "site:north": 1}, needs({"a": 2}, "", ["north", "south"])) == {"skill:a": 2}
    for agent, site in (("n", "north"), ("s", "south"), ("w", "west")):
        board.seat(Seat(agent, {"desk": 1}, has({"a": 1}, ["en"], site, agent)))
        board.present(agent, True)
    board.join(Ticket("either", "desk", 0.0, needs=needs({}, "", ["north", "south"])))
    board.join(Ticket("skilled", "desk", 1.0, needs=needs({"a": 1}, "en", ["south", "east"])))
    board.join(Ticket("named", "desk", 2.0, needs=(("agent:w", 1),)))
    assert [board.staffed("desk", ticket.needs) for ticket in board.line("desk")] == [2, 1, 1]
    free(board, "w")
    assert pair(board.match_agent("w")) == ("named", "w")
    free(board, "n")
    assert pair(board.match_agent("n")) == ("either", "n")
    free(board, "s")
    assert pair(board.match_agent("s")) == ("skilled", "s")


def test_a_call_is_kept_away_from_a_site(board: Board) -> None:
    away = needs({"a": 1}, "", (), ["north"])
    assert away == (("away:north", 1), ("skill:a", 1))
    assert lacks({"skill:a": 1, "site:north": 1}, away) == {"away:north": 1}
    assert lacks({"skill:a": 1, "site:south": 1}, away) == {}
    assert lacks({"skill:a": 1}, away) == {}
    for agent, site in (("n", "north"), ("s", "south"), ("nowhere", "")):
        board.seat(Seat(agent, {"desk": 1}, has({"a": 1}, (), site, agent)))
        board.present(agent, True)
    board.join(Ticket("about", "desk", 0.0, needs=needs({}, "", (), ["north"]), prefer="n", ranked=("n",)))
    board.join(Ticket("other", "desk", 1.0))
    assert [board.staffed("desk", ticket.needs) for ticket in board.line("desk")] == [2, 3]
    free(board, "n")
    assert board.match_call("about") is None
    assert board.candidates("about") == []
    assert board.assign("about", "n") is None
    assert pair(board.match_agent("n")) == ("other", "n")
    free(board, "nowhere")
    assert pair(board.match_agent("nowhere")) == ("about", "nowhere")


def test_needs_and_turn_may_change_while_a_caller_waits_or_is_reserved(board: Board) -> None:
    seat(board, "x", skills={"waybill": 1})
    join(board, "a", 0.0, waybill=3)
    join(board, "b", 1.0, waybill=3)
    join(board, "c", 2.0)
    a, b, c = board.line("desk")
    free(board, "x")
    assert pair(board.match_agent("x")) == ("c", "x")
    board.change(replace(b, needs=needs({"waybill": 1})))
    board.change(replace(c, needs=needs({"waybill": 2})))
    board.put_back("c")
    free(board, "x")
    assert board.match_call("c") is None
    assert pair(board.match_agent("x")) == ("b", "x")
    board.change(replace(a, head_start=-9.0))
    assert [ticket.call for ticket in board.line("desk")] == ["b", "c", "a"]
    board.change(replace(b, head_start=-99.0, needs=()))
    assert [board.position(call) for call in "abc"] == [2, 3, 1]
    board.put_back("b")
    free(board, "x")
    assert pair(board.match_agent("x")) == ("b", "x")
    for wrong in (replace(a, queue="other"), replace(a, call="nobody")):
        with pytest.raises(KeyError):
            board.change(wrong)


def test_the_most_skilled_of_the_nearest_tier_and_then_the_lowest_rank(board: Board) -> None:
    levels = {"a": (1, 1), "b": (3, 0), "c": (2, 2), "d": (2, 2), "e": (0, 9), "far": (9, 9)}
    for rank, (agent, (first, second)) in enumerate(levels.items()):
        seat(board, agent, skills={"p": first, "q": second}, tier=2 if agent == "far" else 1)
        free(board, agent, -rank)
    asked = needs({"p": 1, "q": 1})
    order = []
    for call in range(6):
        board.join(Ticket(f"call-{call}", "desk", float(call), asked=asked))
        match = board.match_call(f"call-{call}", By.SKILL)
        assert match is not None
        order.append(match.agent)
    assert order == ["e", "d", "c", "b", "a", "far"]


def test_by_chance_each_able_agent_of_the_nearest_tier_is_taken_in_time(board: Board) -> None:
    able = {f"x{number}" for number in range(0, 100, 7)}
    for number in range(100):
        agent = f"x{number}"
        seat(board, agent, skills={"p": 1} if agent in able or number > 90 else {}, tier=1 + (number > 90))
        free(board, agent)
    taken = set()
    for turn in range(400):
        join(board, f"call-{turn}", p=1)
        match = board.match_call(f"call-{turn}", By.CHANCE)
        assert match is not None
        taken.add(match.agent)
        board.leave(f"call-{turn}")
        free(board, match.agent)
    assert taken == {agent for agent in able if int(agent[1:]) <= 90}


def test_many_may_be_reserved_for_one_caller(board: Board) -> None:
    for number, agent in enumerate("abcd"):
        seat(board, agent, skills={} if agent == "c" else {"p": 1}, tier=2 if agent == "a" else 1)
        free(board, agent, -number)
    join(board, "call", p=1)
    assert board.candidates("call") == ["d", "b", "a"]
    assert board.candidates("call", 2) == ["d", "b"]
    assert board.match_call("call") == Match("call", "d", "desk", 1, free=4, able=3, rank=-3.0)
    assert board.candidates("call") == ["b", "a"]
    assert board.assign("call", "a") == Match("call", "a", "desk", 1, free=3, able=2, tier=2, rank=0.0)
    assert board.assign("call", "c") is None
    assert board.assign("call", "d") is None, "it is reserved already"
    assert board.free_agents() == ["b", "c"]
    board.put_back("call")
    assert pair(board.assign("call", "b")) == ("call", "b"), "also for one who waits"
    assert board.match_call("call") is None


def test_those_beside_a_match_are_known_when_it_is_made(board: Board) -> None:
    for rank, agent in enumerate("abcdefg"):
        seat(board, agent, skills={"p": 1} if agent in "abcde" else {})
        free(board, agent, rank)
    for call in "1234":
        join(board, call, float(call), q=1)
    join(board, "call", 9.0, p=1)
    match = board.match_call("call")
    assert match is not None
    beside = board.beside(match)
    assert beside == Beside(
        next=(("b", 1, 1), ("c", 1, 2), ("d", 1, 3)), unfit=("f", "g"), ahead=("1", "2", "3")
    )
    assert board.beside(match, 1) == Beside((("b", 1, 1),), ("f",), ("1",))


def test_who_is_logged_in_is_counted_free_or_not(board: Board) -> None:
    seat(board, "x", skills={"waybill": 2})
    seat(board, "y")
    join(board, "a", waybill=1)
    join(board, "b")
    assert (staffed(board, "a"), staffed(board, "b")) == (1, 2)
    board.present("x", False)
    assert (staffed(board, "a"), staffed(board, "b")) == (0, 1)


def test_a_changed_agent_is_known_to_those_who_wait_already(board: Board) -> None:
    seat(board, "x")
    join(board, "a", waybill=2)
    join(board, "offered", 1.0)
    board.claim("offered")
    assert staffed(board, "a") == 0
    seat(board, "x", skills={"waybill": 2})
    free(board, "x")
    assert staffed(board, "a") == 1
    assert staffed(board, "offered") == 1
    assert pair(board.match_agent("x")) == ("a", "x")
    board.put_back("a")
    board.unseat("x")
    assert staffed(board, "a") == 0
    assert board.match_call("a") is None
    seat(board, "y", skills={"waybill": 3})
    free(board, "y")
    assert pair(board.match_call("a")) == ("a", "y")


def test_mistakes_of_the_bookkeeping_are_loud(board: Board) -> None:
    join(board, "a")
    for mistake in (
        lambda: join(board, "a"),
        lambda: board.leave("b"),
        lambda: board.put_back("b"),
        lambda: board.position("b"),
        lambda: board.match_call("b"),
        lambda: board.match_agent("x"),
        lambda: board.busy("x"),
    ):
        with pytest.raises(KeyError):
            mistake()


# -- against the obvious way --------------------------------------------------------------------------


@dataclass
class Model:
    """The rule of ``engine.acd.board``, word for word, by looking at everybody."""

    seats: dict[str, Seat] = field(default_factory=dict)
    ranks: dict[str, Mapping[str, float]] = field(default_factory=dict)
    tickets: list[Ticket] = field(default_factory=list)
    offered: set[str] = field(default_factory=set)

    def able(self, agent: str, ticket: Ticket) -> bool:
        seat = self.seats[agent]
        for thing, level in ticket.needs:
            kind, _, name = thing.partition(":")
            if (f"site:{name}" in seat.has) if kind == "away" else seat.has.get(thing, 0) < level:
                return False
        return ticket.queue in seat.queues

    def in_order(self) -> list[Ticket]:
        return sorted(self.tickets, key=lambda ticket: ticket.turn)

    def match_agent(self, agent: str) -> tuple[str, str] | None:
        fit = [t for t in self.in_order() if t.call not in self.offered and self.able(agent, t)]
        fit.sort(key=lambda ticket: self.seats[agent].queues[ticket.queue])
        return self._reserve(fit[0].call, agent) if agent in self.ranks and fit else None

    def match_call(self, call: str, by: By = By.RANK) -> tuple[str, str] | None:
        (ticket,) = [ticket for ticket in self.tickets if ticket.call == call]
        fit = [agent for agent in self.ranks if self.able(agent, ticket)]
        fit.sort(key=lambda agent: (self.seats[agent].queues[ticket.queue], self.ranks[agent][ticket.queue]))
        if ticket.prefer in fit:
            fit = [ticket.prefer]
        elif by is By.SKILL and fit:
            nearest = self.seats[fit[0]].queues[ticket.queue]
            fit = [agent for agent in fit if self.seats[agent].queues[ticket.queue] == nearest]
            most = max(self.skill(agent, ticket) for agent in fit)
            fit = [agent for agent in fit if self.skill(agent, ticket) == most]
        return self._reserve(call, fit[0]) if call not in self.offered and fit else None

    def skill(self, agent: str, ticket: Ticket) -> int:
        return sum(self.seats[agent].has.get(thing, 0) for thing, _ in ticket.asked)

    def _reserve(self, call: str, agent: str) -> tuple[str, str]:
        self.offered.add(call)
        del self.ranks[agent]
        return call, agent


@pytest.mark.parametrize("seed", range(20))
def test_every_decision_is_that_of_a_model_that_looks_at_everybody(board: Board, seed: int) -> None:
    dice = random.Random(seed)
    model = Model()
    things, queues = ["p", "q", "r", "s"], ["one", "two", "three"]
    agents = [f"x{number}" for number in range(dice.choice([5, 60]))]
    for agent in agents:
        skills = {thing: dice.randint(1, 3) for thing in dice.sample(things, dice.randint(0, 4))}
        mine = {queue: dice.randint(1, 2) for queue in dice.sample(queues, dice.randint(1, 3))}
        model.seats[agent] = Seat(agent, mine, has(skills, (), dice.choice(["", "north", "south"])))
        board.seat(model.seats[agent])
    for turn in range(600):
        deed = dice.random()
        if deed < 0.35:
            skills = {
                thing: dice.randint(1, 3) for thing in dice.sample(things, dice.choice([0, 0, 1, 1, 2]))
            }
            ticket = Ticket(
                f"c{turn}",
                dice.choice(queues),
                turn - dice.randint(0, 40) + dice.random(),
                needs=needs(skills, "", (), dice.choice([[], [], ["north"], ["north", "south"]])),
                prefer=dice.choice(["", "", *agents[:3]]),
                head_start=dice.choice([0, 0, 50.5]),
                asked=needs(dict.fromkeys(dice.sample(things, 2), 1)),
            )
            model.tickets.append(ticket)
            board.join(ticket)
            if dice.random() < 0.7:
                by = dice.choice([By.RANK, By.SKILL])
                assert pair(board.match_call(ticket.call, by)) == model.match_call(ticket.call, by)
        elif deed < 0.7:
            agent = dice.choice(agents)
            ranks = {queue: dice.random() for queue in model.seats[agent].queues}
            model.ranks[agent] = ranks
            board.free(agent, ranks)
            if dice.random() < 0.8:
                assert pair(board.match_agent(agent)) == model.match_agent(agent)
        elif deed < 0.8:
            agent = dice.choice(agents)
            model.ranks.pop(agent, None)
            board.busy(agent)
        elif model.tickets:
            ticket = dice.choice(model.tickets)
            assert board.position(ticket.call) == model.in_order().index(ticket) + 1 - sum(
                other.queue != ticket.queue for other in model.in_order()[: model.in_order().index(ticket)]
            )
            if deed < 0.85:
                less = tuple((thing, level) for thing, level in ticket.needs if thing.startswith("away:"))
                skills = {t.partition(":")[2]: n - 1 for t, n in ticket.needs if t.startswith("skill:")}
                less = tuple(sorted((*less, *needs(skills))))
                changed = replace(ticket, needs=less, head_start=dice.choice([ticket.head_start, 7.25]))
                model.tickets[model.tickets.index(ticket)] = changed
                board.change(changed)
            elif deed < 0.93:
                model.offered.discard(ticket.call)
                board.put_back(ticket.call)
            else:
                model.tickets.remove(ticket)
                board.leave(ticket.call)
        assert sorted(board.free_agents()) == sorted(model.ranks)
    for queue in queues:
        assert list(board.line(queue)) == [ticket for ticket in model.in_order() if ticket.queue == queue]
