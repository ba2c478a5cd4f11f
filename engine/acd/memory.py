"""The board of one node, in memory: a decision costs microseconds however many wait.

Agents are bits of an integer. "Who has waybill at level 2", "who is free in this queue" are integers, and
"who is free and able" is a bitwise and of two of them. Callers of one queue who need the same stand in one
*lane*; a lane knows, as an integer, every agent that can serve it. So a caller finds its agent by one
``and``, and an agent finds its caller by looking at the heads of lanes only.

Lanes hang under one of the things that they need (their *anchor*: the one that fewest agents have), sorted
by their heads. A free agent walks the few lists under things that it has, and stops in each as soon as a
head is younger than the best one found. A need that is an alternative ("one of two sites") or an
exclusion ("not of that site") is no anchor.

"Who has most of what the caller asked for" is found by adding, for all agents at once: the integers "has waybill
at 1", "at 2" … are the digits of a sum in columns of bits, one column for each agent.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from itertools import count, islice
from random import Random

from engine.acd.board import Beside, Board, By, Match, Needs, Seat, Ticket, is_one_thing, meets
from engine.acd.ordered import Ordered

Key = tuple[float, int]  # (turn, sequence): the order of callers, all distinct
Entry = tuple[float, int, str]  # the same, and whose it is
Rank = tuple[int, float, int]  # (tier, rank, bit): the order of free agents in a queue, all distinct

VIRTUAL = 1 << 62  # added to the sequence of who does not wait on the line: behind all with the same turn
FEW = 48  # up to so many able agents are compared one by one; more are met soon when going in order


class _Lane:
    """Callers of one queue who need the same thing, in order, those being offered left out."""

    __slots__ = ("able", "anchor", "head", "key", "line")

    def __init__(self, key: tuple[str, Needs], able: int, anchor: str) -> None:
        self.key = key
        self.able = able
        self.anchor = anchor
        self.line: Ordered[Entry] = Ordered()
        self.head: Key | None = None  # as it is listed under the anchor


class _Queue:
    __slots__ = ("anchors", "everyone", "free", "order", "tiers")

    def __init__(self) -> None:
        self.everyone: Ordered[Entry] = Ordered()  # all who wait, offered or not
        self.anchors: dict[str, list[tuple[Key, _Lane]]] = {}
        self.free = 0  # bits of the free agents
        self.order: Ordered[Rank] = Ordered()  # the same, in order
        self.tiers: dict[int, int] = {}  # tier -> bits of who serves it on that tier, free or not


class _Agent:
    __slots__ = ("bit", "mask", "ranks", "seat", "tiers")

    def __init__(self, seat: Seat, bit: int) -> None:
        self.seat = seat
        self.bit = bit
        self.mask = 1 << bit
        self.ranks: dict[str, Rank] | None = None  # while free: its entry in each queue's order
        self.tiers: list[list[str]] = []  # queue names by ascending tier


class _Caller:
    __slots__ = ("entry", "lane", "offered", "ticket")

    def __init__(self, ticket: Ticket, entry: Entry, lane: _Lane) -> None:
        self.ticket = ticket
        self.entry = entry
        self.lane = lane
        self.offered = False


class MemoryBoard(Board):
    """See the module's head; the meaning of each method stands in :class:`engine.acd.board.Board`."""

    def __init__(self, *, seed: int = 0) -> None:
        self._dice = Random(seed)
        self._agents: dict[str, _Agent] = {}
        self._by_bit: dict[int, _Agent] = {}
        self._spare_bits: list[int] = []
        self._present = 0
        self._free: dict[str, None] = {}
        self._has: dict[tuple[str, int], int] = {}  # (thing, level) -> bits of who has it, made when asked
        self._members: dict[str, int] = {}  # queue -> bits of who serves it
        self._queues: dict[str, _Queue] = {}
        self._lanes: dict[tuple[str, Needs], _Lane] = {}
        self._callers: dict[str, _Caller] = {}
        self._sequence = count()

    # -- agents ---------------------------------------------------------------------------------

    def seat(self, seat: Seat) -> None:
        if seat.agent in self._agents:
            self.unseat(seat.agent)
        bit = self._spare_bits.pop() if self._spare_bits else len(self._agents)
        agent = _Agent(seat, bit)
        by_tier: dict[int, list[str]] = {}
        for queue, tier in seat.queues.items():
            by_tier.setdefault(tier, []).append(queue)
            self._members[queue] = self._members.get(queue, 0) | agent.mask
            tiers = self._queue(queue).tiers
            tiers[tier] = tiers.get(tier, 0) | agent.mask
        agent.tiers = [by_tier[tier] for tier in sorted(by_tier)]
        self._agents[seat.agent] = agent
        self._by_bit[bit] = agent
        self._refresh()

    def unseat(self, agent: str) -> None:
        self.busy(agent)
        self.present(agent, False)
        gone = self._agents.pop(agent)
        del self._by_bit[gone.bit]
        self._spare_bits.append(gone.bit)
        for queue, tier in gone.seat.queues.items():
            self._members[queue] &= ~gone.mask
            self._queues[queue].tiers[tier] &= ~gone.mask
        self._refresh()

    def present(self, agent: str, here: bool) -> None:
        mask = self._agents[agent].mask
        self._present = self._present | mask if here else self._present & ~mask

    def free(self, agent: str, ranks: Mapping[str, float]) -> None:
        self.busy(agent)
        found = self._agents[agent]
        found.ranks = {}
        for name, tier in found.seat.queues.items():
            queue = self._queue(name)
            rank = found.ranks[name] = (tier, ranks[name], found.bit)
            queue.order.add(rank)
            queue.free |= found.mask
        self._free[agent] = None

    def is_free(self, agent: str) -> bool:
        return self._agents[agent].ranks is not None

    def busy(self, agent: str) -> None:
        found = self._agents[agent]
        if found.ranks is None:
            return
        for name, rank in found.ranks.items():
            queue = self._queues[name]
            queue.order.remove(rank)
            queue.free &= ~found.mask
        found.ranks = None
        del self._free[agent]

    def free_agents(self) -> list[str]:
        return list(self._free)

    # -- callers --------------------------------------------------------------------------------

    def join(self, ticket: Ticket) -> None:
        if ticket.call in self._callers:
            raise KeyError(f"{ticket.call} waits already")
        entry = (ticket.turn, next(self._sequence) + (VIRTUAL if ticket.virtual else 0), ticket.call)
        lane = self._lane((ticket.queue, ticket.needs))
        self._callers[ticket.call] = _Caller(ticket, entry, lane)
        self._queue(ticket.queue).everyone.add(entry)
        self._stand(lane, entry)

    def change(self, ticket: Ticket) -> None:
        caller = self._callers[ticket.call]
        before = caller.ticket
        if before.queue != ticket.queue:
            raise KeyError(f"{ticket.call} does not wait in {ticket.queue}")
        if not caller.offered:
            self._step_out(caller.lane, caller.entry)
        if before.turn != ticket.turn:
            everyone = self._queues[ticket.queue].everyone
            everyone.remove(caller.entry)
            caller.entry = (ticket.turn, *caller.entry[1:])
            everyone.add(caller.entry)
        caller.ticket = ticket
        key = (ticket.queue, ticket.needs)
        if caller.offered:
            # Its lane may be out of use: it is looked up again when the caller is put back.
            caller.lane = _Lane(key, *self._able(key))
        else:
            caller.lane = self._lane(key)
            self._stand(caller.lane, caller.entry)

    def leave(self, call: str) -> None:
        caller = self._callers.pop(call)
        self._queues[caller.ticket.queue].everyone.remove(caller.entry)
        if not caller.offered:
            self._step_out(caller.lane, caller.entry)

    def claim(self, call: str) -> None:
        caller = self._callers[call]
        if not caller.offered:
            caller.offered = True
            self._step_out(caller.lane, caller.entry)

    def put_back(self, call: str) -> None:
        caller = self._callers[call]
        if caller.offered:
            caller.offered = False
            caller.lane = self._lane(caller.lane.key)
            self._stand(caller.lane, caller.entry)

    def position(self, call: str) -> int:
        caller = self._callers[call]
        return self._queues[caller.ticket.queue].everyone.rank(caller.entry) + 1

    def waiting(self, queue: str) -> int:
        found = self._queues.get(queue)
        return len(found.everyone) if found else 0

    def line(self, queue: str) -> Iterator[Ticket]:
        found = self._queues.get(queue)
        for entry in found.everyone if found else ():
            yield self._callers[entry[2]].ticket

    def staffed(self, queue: str, needs: Needs) -> int:
        able, _ = self._able((queue, needs))
        return (able & self._present).bit_count()

    # -- decisions ------------------------------------------------------------------------------

    def match_agent(self, agent: str) -> Match | None:
        found = self._agents[agent]
        if found.ranks is None:
            return None
        mask, things = found.mask, found.seat.has
        for tier in found.tiers:
            best: Key | None = None
            best_lane: _Lane | None = None
            for name in tier:
                queue = self._queues.get(name)
                if queue is None:
                    continue
                anchors = queue.anchors
                # Whichever are fewer: callers may wait for one agent each, agents may have many skills.
                for anchor in anchors if len(anchors) <= len(things) else ("", *things):
                    if anchor and anchor not in things:
                        continue
                    for key, lane in anchors.get(anchor, ()):
                        if best is not None and key >= best:
                            break
                        if lane.able & mask:
                            best, best_lane = key, lane
                            break
            if best_lane is not None:
                return self._reserve(self._callers[best_lane.line.first()[2]], found)
        return None

    def match_call(self, call: str, by: By = By.RANK) -> Match | None:
        caller = self._callers[call]
        if caller.offered:
            return None
        queue = self._queues[caller.ticket.queue]
        able = caller.lane.able & queue.free
        if not able:
            return None
        for wanted in (caller.ticket.prefer, *caller.ticket.ranked):
            preferred = self._agents.get(wanted) if wanted else None
            if preferred is not None and able & preferred.mask:
                return self._reserve(caller, preferred)
        if by is not By.RANK:
            able = self._nearest(queue, able)
            if by is By.CHANCE:
                return self._reserve(caller, self._by_bit[self._any(able)])
            able = self._most_skilled(able, caller.ticket.asked)
        return self._reserve(caller, self._first(caller.ticket.queue, able))

    def candidates(self, call: str, most: int = 1_000) -> list[str]:
        caller = self._callers[call]
        queue = self._queues[caller.ticket.queue]
        found = self._in_order(queue, self._able_now(caller) & queue.free)
        return [agent.seat.agent for agent in islice(found, most)]

    def assign(self, call: str, agent: str) -> Match | None:
        caller, found = self._callers[call], self._agents[agent]
        queue = self._queues[caller.ticket.queue]
        if not self._able_now(caller) & queue.free & found.mask:
            return None
        return self._reserve(caller, found)

    def beside(self, match: Match, most: int = 3) -> Beside:
        caller = self._callers[match.call]
        queue = self._queues[match.queue]
        able = self._able_now(caller) & queue.free
        others = islice(self._in_order(queue, able), most)
        unfit = islice(self._in_order(queue, queue.free & ~able), most)
        ahead = islice(queue.everyone, min(most, match.position - 1))
        return Beside(
            tuple((one.seat.agent, *one.ranks[match.queue][:2]) for one in others if one.ranks is not None),
            tuple(one.seat.agent for one in unfit),
            tuple(entry[2] for entry in ahead if entry[2] != match.call),
        )

    def _able_now(self, caller: _Caller) -> int:
        if not caller.offered:
            return caller.lane.able
        able, _ = self._able(caller.lane.key)  # the lane of a reserved caller may be out of use, and old
        return able

    def _in_order(self, queue: _Queue, agents: int) -> Iterator[_Agent]:
        """These free agents of a queue, by tier and rank."""
        if agents:
            yield from (self._by_bit[rank[2]] for rank in queue.order if agents >> rank[2] & 1)

    def _first(self, name: str, able: int) -> _Agent:
        """The first of these free agents by tier and rank; there is at least one."""
        if able.bit_count() > FEW:
            return next(self._in_order(self._queues[name], able))
        best: Rank | None = None
        while able:
            lowest = able & -able
            able ^= lowest
            ranks = self._by_bit[lowest.bit_length() - 1].ranks
            if ranks is not None and (best is None or ranks[name] < best):
                best = ranks[name]
        assert best is not None
        return self._by_bit[best[2]]

    @staticmethod
    def _nearest(queue: _Queue, able: int) -> int:
        """Those of the lowest tier."""
        return next(near for tier in sorted(queue.tiers) if (near := able & queue.tiers[tier]))

    def _most_skilled(self, able: int, asked: Needs) -> int:
        """Those who have most of what is asked, all levels added."""
        columns: list[int] = []  # columns[n]: the n-th binary digit of every agent's sum
        for thing, _ in asked:
            for level in range(1, 10):
                carry = self._having(thing, level) & able
                if not carry:
                    break
                for place, digit in enumerate(columns):
                    columns[place], carry = digit ^ carry, digit & carry
                    if not carry:
                        break
                if carry:
                    columns.append(carry)
        for digit in reversed(columns):
            able = able & digit or able
        return able

    def _any(self, agents: int) -> int:
        """One of these bits by chance: halves are thrown away until one is left."""
        left, low = self._dice.randrange(agents.bit_count()), 0
        while agents & (agents - 1):
            half = agents.bit_length() // 2
            below = agents & ((1 << half) - 1)
            if left < (size := below.bit_count()):
                agents = below
            else:
                left -= size
                agents >>= half
                low += half
        return low + agents.bit_length() - 1

    def _reserve(self, caller: _Caller, agent: _Agent) -> Match:
        name = caller.ticket.queue
        queue = self._queues[name]
        assert agent.ranks is not None
        tier, rank, _ = agent.ranks[name]
        match = Match(
            caller.ticket.call,
            agent.seat.agent,
            name,
            queue.everyone.rank(caller.entry) + 1,
            queue.free.bit_count(),
            (self._able_now(caller) & queue.free).bit_count(),
            tier,
            rank,
        )
        if not caller.offered:
            caller.offered = True
            self._step_out(caller.lane, caller.entry)
        self.busy(agent.seat.agent)
        return match

    # -- lanes ----------------------------------------------------------------------------------

    def _queue(self, name: str) -> _Queue:
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = _Queue()
        return queue

    def _lane(self, key: tuple[str, Needs]) -> _Lane:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(key, *self._able(key))
        return lane

    def _able(self, key: tuple[str, Needs]) -> tuple[int, str]:
        """Who can serve such callers, and the thing that fewest have."""
        queue, asked = key
        able = self._members.get(queue, 0)
        anchor, fewest = "", -1
        for thing, level in asked:
            having = self._having(thing, level)
            able &= having
            if not is_one_thing(thing):
                continue
            size = having.bit_count()
            if fewest < 0 or size < fewest:
                anchor, fewest = thing, size
        return able, anchor

    def _having(self, thing: str, level: int) -> int:
        mask = self._has.get((thing, level))
        if mask is None:
            mask = 0
            for agent in self._agents.values():
                if meets(agent.seat.has, thing, level):
                    mask |= agent.mask
            self._has[thing, level] = mask
        return mask

    def _refresh(self) -> None:
        """The agents changed: what lanes know of them is made anew."""
        self._has.clear()
        for lane in self._lanes.values():
            # The anchor may stay what it was: any thing that the lane needs is a right one.
            lane.able, _ = self._able(lane.key)

    def _stand(self, lane: _Lane, entry: Entry) -> None:
        lane.line.add(entry)
        self._list_head(lane)

    def _step_out(self, lane: _Lane, entry: Entry) -> None:
        lane.line.remove(entry)
        self._list_head(lane)
        if not lane.line:
            del self._lanes[lane.key]

    def _list_head(self, lane: _Lane) -> None:
        """List the lane under its anchor by the caller that is now its first."""
        head: Key | None = lane.line.first()[:2] if lane.line else None
        if head == lane.head:
            return
        anchors = self._queues[lane.key[0]].anchors
        heads = anchors.get(lane.anchor)
        if heads is None:
            heads = anchors[lane.anchor] = []
        if lane.head is not None:
            # A one-tuple sorts before the pair that begins with it, so this finds the lane's entry.
            del heads[bisect_left(heads, (lane.head,))]
        if head is not None:
            insort(heads, (head, lane))
        elif not heads:
            del anchors[lane.anchor]
        lane.head = head
