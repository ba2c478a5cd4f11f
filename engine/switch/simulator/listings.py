"""``show …``: tables, as JSON or as lines, that are always a little behind the truth.

The switch writes its listings into a database of its own in batches; a new channel shows up, and one
that ended goes away, only ``show_lag`` seconds later.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from engine.switch.simulator.channels import Channel
    from engine.switch.simulator.switch import Switch

USAGE = (
    "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels "
    "[count|like <match string>]|calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|"
    "chat|management|modules|nat_map|say|interfaces|interface_types|tasks|limits|status\n"
)

Row = dict[str, str]


def channel_row(channel: Channel) -> Row:
    """One row of ``show channels``."""
    profile = channel.profile
    epoch = profile.times.created // 1_000_000
    media = channel.media or channel.inbound
    return {
        "uuid": channel.uuid,
        "direction": profile.direction,
        "created": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "created_epoch": str(epoch),
        "name": channel.name,
        "state": channel.state,
        "cid_name": profile.caller_id_name,
        "cid_num": profile.caller_id_number,
        "ip_addr": profile.network_addr,
        "dest": profile.destination_number,
        "application": channel.last_app,
        "application_data": channel.last_arg,
        "dialplan": profile.dialplan,
        "context": profile.context,
        "read_codec": "PCMU" if media else "",
        "read_rate": "8000" if media else "",
        "read_bit_rate": "64000" if media else "",
        "write_codec": "PCMU" if media else "",
        "write_rate": "8000" if media else "",
        "write_bit_rate": "64000" if media else "",
        "secure": "",
        "hostname": channel.switch.hostname,
        "presence_id": "",
        "presence_data": "",
        "accountcode": "",
        "callstate": channel.callstate,
        "callee_name": profile.callee_id_name,
        "callee_num": profile.callee_id_number,
        "callee_direction": "SEND" if channel.other is not None else "",
        "call_uuid": channel.call_uuid if channel.other is not None else "",
        "sent_callee_name": channel.other.caller_id_name if channel.other is not None else "",
        "sent_callee_num": channel.other.caller_id_number if channel.other is not None else "",
        "initial_cid_name": profile.orig_caller_id_name,
        "initial_cid_num": profile.orig_caller_id_number,
        "initial_ip_addr": profile.network_addr,
        "initial_dest": profile.destination_number,
        "initial_dialplan": profile.dialplan,
        "initial_context": profile.context,
    }


def channels(switch: Switch) -> list[Row]:
    """All channels that the listing knows of now."""
    now = switch.clock.monotonic()
    rows = [gone.row for gone in switch.gone if gone.at + switch.show_lag > now]
    return rows + [
        channel_row(channel) for channel in switch.channels.values() if channel.born + switch.show_lag <= now
    ]


_SIDE_NAMES = """uuid direction created created_epoch name state cid_name cid_num ip_addr dest presence_id
    presence_data accountcode callstate callee_name callee_num callee_direction"""
_SIDE = _SIDE_NAMES.split()


def bridged_calls(switch: Switch) -> list[Row]:
    """All talks, one row each."""
    now = switch.clock.monotonic()
    rows = []
    for channel in switch.channels.values():
        bridge = channel.bridge
        if bridge is None or bridge.a is not channel or bridge.since + switch.show_lag > now:
            continue
        a, b = channel_row(bridge.a), channel_row(bridge.b)
        row = {name: a[name] for name in _SIDE}
        row["call_uuid"] = a["uuid"]
        row["hostname"] = switch.hostname
        row["sent_callee_name"], row["sent_callee_num"] = a["sent_callee_name"], a["sent_callee_num"]
        row.update({f"b_{name}": b[name] for name in _SIDE})
        row["b_sent_callee_name"], row["b_sent_callee_num"] = b["sent_callee_name"], b["sent_callee_num"]
        row["call_created_epoch"] = str(math.floor(switch.clock.now().timestamp() - (now - bridge.since)))
        rows.append(row)
    return rows


def calls(switch: Switch) -> list[Row]:
    """Talks, and channels that are alone."""
    talks = bridged_calls(switch)
    paired = {row["uuid"] for row in talks} | {row["b_uuid"] for row in talks}
    alone = [row for row in channels(switch) if row["uuid"] not in paired]
    names = list(talks[0]) if talks else [*_SIDE, "call_uuid", "hostname"]
    return talks + [{name: row.get(name, "") for name in names} for row in alone]


def show(switch: Switch, text: str) -> str:
    """The answer to ``show TEXT``."""
    words = text.split()
    if not words:
        return USAGE
    as_json = "as" in words
    if as_json:
        place = words.index("as")
        if words[place + 1 : place + 2] != ["json"]:
            return "-ERR not simulated\n"
        words = words[:place]
    what, more = words[0] if words else "", words[1:]
    if what == "channels":
        rows = channels(switch)
        if more[:1] == ["like"] and len(more) > 1:
            needle = " ".join(more[1:])
            rows = [row for row in rows if any(needle in value for value in row.values())]
    elif what in ("bridged_calls", "detailed_bridged_calls"):
        rows = bridged_calls(switch)
    elif what in ("calls", "detailed_calls"):
        rows = calls(switch)
    elif what == "registrations":
        rows = switch.registrations.rows(switch.hostname)
    elif what == "tasks":
        rows = [task.row(switch.hostname) for task in switch.scheduler.tasks.values()]
    elif what in ("application", "api"):
        names = switch.applications if what == "application" else switch.commands
        rows = [
            {"name": name, "description": "", "syntax": "", "ikey": "simulator"} for name in sorted(names)
        ]
    else:
        return USAGE
    if more[:1] == ["count"] and what in ("channels", "calls"):
        if as_json:
            return orjson.dumps({"row_count": len(rows)}).decode()
        return f"\n{len(rows)} total.\n"
    return as_json_text(rows) if as_json else as_lines(rows)


def as_json_text(rows: list[Row]) -> str:
    """Rows as the switch writes JSON: none at all is a line of its own."""
    if not rows:
        return '{"row_count": 0}\n'
    return orjson.dumps({"row_count": len(rows), "rows": rows}).decode()


def as_lines(rows: list[Row]) -> str:
    """Rows as lines with commas."""
    if not rows:
        return "\n0 total.\n"
    lines = [",".join(rows[0])]
    lines += [",".join(row.values()) for row in rows]
    return "\n".join(lines) + f"\n\n{len(rows)} total.\n"
