"""The board of one node, in memory: a decision costs microseconds however many wait.

Agents are bits of an integer. "Who has waybill at level 2", "who is free in this queue" are integers, and
"who is free and able" is a bitwise and of two of them. Callers of one queue who need the same stand in one
*lane*; a lane knows, as an integer, every agent that can serve it. So a caller finds its agent by one
``and``, and an agent finds its caller by looking at the heads of lanes only.

Lanes hang under one of the things that they need (their *anchor*: the one that fewest agents have), sorted
by their heads. A free agent walks the few lists under things that it has, and stops in each as soon as a
head is younger than the best one found.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from itertools import count

from engine.acd.board import Board, Match, Needs, Seat, Ticket
from engine.acd.ordered import Ordered

Key = tuple[int, float, int]  # (-priority, joined, sequence): the order of callers, all distinct
Rank = tuple[int, float, int]  # (tier, rank, bit): the order of free agents in a queue, all distinct

FEW = 48  # up to so many able agents are compared one by one; more are met soon when going in order


class _Lane:
    """Callers of one queue who need the same thing, in order, those being offered left out."""

    __slots__ = ("able", "anchor", "head", "key", "line")

    def __init__(self, key: tuple[str, Needs], able: int, anchor: str) -> None:
        self.key = key
        self.able = able
        self.anchor = anchor
        self.line: Ordered[tuple[int, float, int, str]] = Ordered()
        self.head: Key | None = None  # as it is listed under the anchor


class _Queue:
    __slots__ = ("anchors", "everyone", "free", "order")

    def __init__(self) -> None:
        self.everyone: Ordered[tuple[int, float, int, str]] = Ordered()  # all who wait, offered or not
        self.anchors: dict[str, list[tuple[Key, _Lane]]] = {}
        self.free = 0  # bits of the free agents
        self.order: Ordered[Rank] = Ordered()  # the same, in order


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

    def __init__(self, ticket: Ticket, entry: tuple[int, float, int, str], lane: _Lane) -> None:
        self.ticket = ticket
        self.entry = entry
        self.lane = lane
        self.offered = False


class MemoryBoard(Board):
    """See the module's head; the meaning of each method stands in :class:`engine.acd.board.Board`."""

    def __init__(self) -> None:
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
        for queue in gone.seat.queues:
            self._members[queue] &= ~gone.mask
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
        entry = (-ticket.priority, ticket.joined, next(self._sequence), ticket.call)
        lane = self._lane((ticket.queue, ticket.needs))
        self._callers[ticket.call] = _Caller(ticket, entry, lane)
        self._queue(ticket.queue).everyone.add(entry)
        self._stand(lane, entry)

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
            yield self._callers[entry[3]].ticket

    def staffed(self, call: str) -> int:
        # Not the lane's own integer: an offered caller's lane may be out of use, and old.
        able, _ = self._able(self._callers[call].lane.key)
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
                for anchor, heads in queue.anchors.items():
                    if anchor and anchor not in things:
                        continue
                    for key, lane in heads:
                        if best is not None and key >= best:
                            break
                        if lane.able & mask:
                            best, best_lane = key, lane
                            break
            if best_lane is not None:
                return self._reserve(self._callers[best_lane.line.first()[3]], found)
        return None

    def match_call(self, call: str) -> Match | None:
        caller = self._callers[call]
        if caller.offered:
            return None
        queue = self._queues[caller.ticket.queue]
        able = caller.lane.able & queue.free
        if not able:
            return None
        preferred = self._agents.get(caller.ticket.prefer) if caller.ticket.prefer else None
        if preferred is not None and able & preferred.mask:
            return self._reserve(caller, preferred)
        if able.bit_count() <= FEW:
            name = caller.ticket.queue
            best: Rank | None = None
            left = able
            while left:
                lowest = left & -left
                left ^= lowest
                ranks = self._by_bit[lowest.bit_length() - 1].ranks
                if ranks is not None and (best is None or ranks[name] < best):
                    best = ranks[name]
        else:
            best = next((rank for rank in queue.order if able >> rank[2] & 1), None)
        return self._reserve(caller, self._by_bit[best[2]]) if best is not None else None

    def _reserve(self, caller: _Caller, agent: _Agent) -> Match:
        name = caller.ticket.queue
        queue = self._queues[name]
        match = Match(
            caller.ticket.call,
            agent.seat.agent,
            name,
            queue.everyone.rank(caller.entry) + 1,
            queue.free.bit_count(),
            (caller.lane.able & queue.free).bit_count(),
        )
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
            size = having.bit_count()
            if fewest < 0 or size < fewest:
                anchor, fewest = thing, size
        return able, anchor

    def _having(self, thing: str, level: int) -> int:
        mask = self._has.get((thing, level))
        if mask is None:
            mask = 0
            for agent in self._agents.values():
                if agent.seat.has.get(thing, 0) >= level:
                    mask |= agent.mask
            self._has[thing, level] = mask
        return mask

    def _refresh(self) -> None:
        """The agents changed: what lanes know of them is made anew."""
        self._has.clear()
        for lane in self._lanes.values():
            # The anchor may stay what it was: any thing that the lane needs is a right one.
            lane.able, _ = self._able(lane.key)

    def _stand(self, lane: _Lane, entry: tuple[int, float, int, str]) -> None:
        lane.line.add(entry)
        self._list_head(lane)

    def _step_out(self, lane: _Lane, entry: tuple[int, float, int, str]) -> None:
        lane.line.remove(entry)
        self._list_head(lane)
        if not lane.line:
            del self._lanes[lane.key]

    def _list_head(self, lane: _Lane) -> None:
        """List the lane under its anchor by the caller that is now its first."""
        head: Key | None = lane.line.first()[:3] if lane.line else None
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
