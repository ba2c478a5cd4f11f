"""A process of its own that plays the switch for the event benchmark, so that its work is nobody's CPU.

    python -m bench.feeder N

Listens on a free loopback port, prints it, and serves one client after the other: greeting, log-in, and after
an ``event`` command N events in the format asked for (those of :func:`events`), then one of the name END.
Plain Python on plain sockets: what is measured is the client.
"""

from __future__ import annotations

import itertools
import socket
import sys
from collections.abc import Iterator
from typing import Any

from engine.esl import wire

END = "BENCH_END"

# What mod_event_socket puts first into every event.
_BASE = {
    "Core-UUID": "5f0c7c56-1d2e-4d3b-9a41-6f9a0c1f2b11",
    "FreeSWITCH-Hostname": "switch-1",
    "FreeSWITCH-Switchname": "switch-1",
    "FreeSWITCH-IPv4": "192.0.2.10",
    "FreeSWITCH-IPv6": "2001:db8::10",
    "Event-Date-Local": "2026-11-23 09:12:44",
    "Event-Date-GMT": "Mon, 23 Nov 2026 01:12:44 GMT",
    "Event-Date-Timestamp": "1795396364218341",
    "Event-Calling-File": "switch_core_session.c",
    "Event-Calling-Function": "switch_core_session_exec",
    "Event-Calling-Line-Number": "2967",
    "Event-Sequence": "81214",
}
_CHANNEL = {
    "Channel-State": "CS_EXECUTE",
    "Channel-Call-State": "ACTIVE",
    "Channel-State-Number": "4",
    "Channel-Name": "sofia/external/+8610000000000@192.0.2.77",
    "Unique-ID": "9c4f7e21-55aa-4c0b-8a8e-0d3b7d0c4e19",
    "Call-Direction": "inbound",
    "Presence-Call-Direction": "inbound",
    "Channel-HIT-Dialplan": "true",
    "Channel-Call-UUID": "9c4f7e21-55aa-4c0b-8a8e-0d3b7d0c4e19",
    "Answer-State": "answered",
    "Channel-Read-Codec-Name": "PCMA",
    "Channel-Read-Codec-Rate": "8000",
    "Channel-Read-Codec-Bit-Rate": "64000",
    "Channel-Write-Codec-Name": "PCMA",
    "Channel-Write-Codec-Rate": "8000",
    "Channel-Write-Codec-Bit-Rate": "64000",
    **{
        f"Caller-{name}": value
        for name, value in {
            "Direction": "inbound",
            "Logical-Direction": "inbound",
            "Username": "+8610000000000",
            "Dialplan": "XML",
            "Caller-ID-Name": "广州 示例商贸",
            "Caller-ID-Number": "+8610000000000",
            "Orig-Caller-ID-Name": "广州 示例商贸",
            "Orig-Caller-ID-Number": "+8610000000000",
            "Network-Addr": "192.0.2.77",
            "ANI": "+8610000000000",
            "Destination-Number": "8004",
            "Unique-ID": "9c4f7e21-55aa-4c0b-8a8e-0d3b7d0c4e19",
            "Source": "mod_sofia",
            "Context": "trunk",
            "Channel-Name": "sofia/external/+8610000000000@192.0.2.77",
            "Profile-Index": "1",
            "Profile-Created-Time": "1795396361002341",
            "Channel-Created-Time": "1795396361002341",
            "Channel-Answered-Time": "1795396361221341",
            "Channel-Progress-Time": "0",
            "Channel-Progress-Media-Time": "0",
            "Channel-Hangup-Time": "0",
            "Channel-Transfer-Time": "0",
            "Channel-Resurrect-Time": "0",
            "Channel-Bridged-Time": "0",
            "Channel-Last-Hold": "0",
            "Channel-Hold-Accum": "0",
            "Screen-Bit": "true",
            "Privacy-Hide-Name": "false",
            "Privacy-Hide-Number": "false",
        }.items()
    },
}
_SDP = (
    "v=0\r\no=- 3970812364 3970812364 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n"
    "m=audio 40112 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
_VARIABLES = {
    f"variable_{name}": value
    for name, value in {
        "direction": "inbound",
        "uuid": "9c4f7e21-55aa-4c0b-8a8e-0d3b7d0c4e19",
        "session_id": "1182",
        "sip_from_user": "+8610000000000",
        "sip_from_uri": "+8610000000000@192.0.2.77",
        "sip_from_host": "192.0.2.77",
        "video_media_flow": "disabled",
        "text_media_flow": "disabled",
        "audio_media_flow": "sendrecv",
        "channel_name": "sofia/external/+8610000000000@192.0.2.77",
        "sip_call_id": "0a41c2e9-7d1b-4b44-8c0d-1e0b6b1d5f9e",
        "sip_local_network_addr": "192.0.2.10",
        "sip_network_ip": "192.0.2.77",
        "sip_network_port": "5060",
        "sip_invite_stamp": "1795396361002341",
        "sip_received_ip": "192.0.2.77",
        "sip_received_port": "5060",
        "sip_via_protocol": "udp",
        "sip_from_user_stripped": "8610000000000",
        "sip_from_tag": "b5d1a1c2",
        "sofia_profile_name": "external",
        "sofia_profile_url": "sip:mod_sofia@192.0.2.10:5080",
        "recovery_profile_name": "external",
        "sip_full_via": "SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bK-524287-1---4be1a8d0a3fc2b01;rport=5060",
        "sip_from_display": "广州 示例商贸",
        "sip_full_from": '"广州 示例商贸" <sip:+8610000000000@192.0.2.77>;tag=b5d1a1c2',
        "sip_full_to": "<sip:8004@192.0.2.10:5080>",
        "sip_allow": "INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO",
        "sip_req_user": "8004",
        "sip_req_port": "5080",
        "sip_req_uri": "8004@192.0.2.10:5080",
        "sip_req_host": "192.0.2.10",
        "sip_to_user": "8004",
        "sip_to_port": "5080",
        "sip_to_uri": "8004@192.0.2.10:5080",
        "sip_to_host": "192.0.2.10",
        "sip_contact_user": "+8610000000000",
        "sip_contact_port": "5060",
        "sip_contact_uri": "+8610000000000@192.0.2.77:5060",
        "sip_contact_host": "192.0.2.77",
        "sip_user_agent": "example-trunk/3.2",
        "sip_via_host": "192.0.2.77",
        "sip_via_port": "5060",
        "sip_via_rport": "5060",
        "max_forwards": "69",
        "switch_r_sdp": _SDP,
        "ep_codec_string": "mod_spandsp.PCMA@8000h@20i@64000b,CORE_PCM_MODULE.PCMU@8000h@20i@64000b",
        "call_uuid": "9c4f7e21-55aa-4c0b-8a8e-0d3b7d0c4e19",
        "open": "true",
        "rtp_use_codec_string": "OPUS,PCMA,PCMU",
        "audio_media_index": "0",
        "remote_media_ip": "192.0.2.77",
        "remote_media_port": "40112",
        "rtp_audio_recv_pt": "8",
        "rtp_use_codec_name": "PCMA",
        "rtp_use_codec_rate": "8000",
        "rtp_use_codec_ptime": "20",
        "rtp_use_codec_channels": "1",
        "rtp_last_audio_codec_string": "PCMA@8000h@20i@1c",
        "read_codec": "PCMA",
        "original_read_codec": "PCMA",
        "read_rate": "8000",
        "original_read_rate": "8000",
        "write_codec": "PCMA",
        "write_rate": "8000",
        "dtmf_type": "rfc2833",
        "rtp_2833_send_payload": "101",
        "rtp_2833_recv_payload": "101",
        "video_possible": "true",
        "local_media_ip": "192.0.2.10",
        "local_media_port": "21874",
        "advertised_media_ip": "192.0.2.10",
        "rtp_use_timer_name": "soft",
        "rtp_use_pt": "8",
        "rtp_use_ssrc": "3041121990",
        "endpoint_disposition": "ANSWER",
        "rtp_local_sdp_str": _SDP.replace("192.0.2.77", "192.0.2.10"),
        "sip_to_tag": "Q2pcSF0j3Hp4K",
        "sip_cseq": "1",
        "sip_full_route": "<sip:192.0.2.76;lr>",
        "sip_recover_via": "SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bK-524287-1---4be1a8d0a3fc2b01",
        "il_call": "true",
        "il_dnis": "8004",
        "il_ani": "+8610000000000",
        "il_state": "eyJmIjoiYjE5ZjAyIiwiYiI6InRyYWNrIiwicyI6MCwidiI6MSwidyI6ImRpZ2l0cyIsImUiOiJlLTEyIiwicSI6bnVsbH0"
        * 3,
        "il_done": "e-12",
        "playback_terminators": "none",
        "hangup_after_bridge": "false",
        "park_after_bridge": "true",
        "playback_last_offset_pos": "14720",
        "playback_seconds": "1",
        "playback_ms": "1840",
        "playback_samples": "14720",
        "read_result": "success",
        "il_digits": "20261123001",
        "current_application": "play_and_get_digits",
        "current_application_data": "8 14 1 6000 # /v/p/zh/enter.wav silence_stream://1 il_digits ^[0-9]+$ 3000",
        "RECORD_STEREO": "true",
        "record_path": "/v/recordings/2026/11/23/9c4f7e21-55aa-4c0b-8a8e-0d3b7d0c4e19.wav",
        "rtp_audio_in_raw_bytes": "160128",
        "rtp_audio_in_media_bytes": "159744",
        "rtp_audio_in_packet_count": "932",
        "rtp_audio_in_jitter_packet_count": "0",
        "rtp_audio_in_mos": "4.50",
        "rtp_audio_in_quality_percentage": "100.00",
        "rtp_audio_out_raw_bytes": "150672",
        "rtp_audio_out_packet_count": "876",
    }.items()
}
_EXECUTE = {
    "Application": "play_and_get_digits",
    "Application-Data": "8 14 1 6000 # /v/p/zh/enter.wav silence_stream://1 il_digits ^[0-9]+$ 3000",
    "Application-Response": "_none_",
    "Application-UUID": "e-12",
}
_DTMF = {"DTMF-Digit": "5", "DTMF-Duration": "1280", "DTMF-Source": "RTP"}
_REGISTER = {
    "Event-Subclass": "sofia::register",
    "profile-name": "internal",
    "from-user": "1001",
    "from-host": "local",
    "contact": '"1001" <sip:1001@192.0.2.31:5060>',
    "status": "Registered(UDP)",
    "expires": "60",
    "network-ip": "192.0.2.31",
    "network-port": "5060",
    "username": "1001",
    "realm": "local",
}
_HEARTBEAT = {
    "Event-Info": "System Ready",
    "Up-Time": "0 years, 12 days, 4 hours, 1 minute, 20 seconds",
    "FreeSWITCH-Version": "1.11.2",
    "Session-Count": "214",
    "Max-Sessions": "2000",
    "Session-Per-Sec": "100",
    "Idle-CPU": "71.4",
}


def events() -> list[dict[str, str]]:
    """What a caller who is asked something and talks to an agent makes, as the engine subscribes to it."""

    def full(name: str, **more: str) -> dict[str, str]:
        return {"Event-Name": name, **_BASE, **_CHANNEL, **more, **_VARIABLES}

    def small(name: str, more: dict[str, str]) -> dict[str, str]:
        return {"Event-Name": name, **_BASE, **more}

    call = [full("CHANNEL_PARK"), full("CHANNEL_ANSWER")]
    call += [full("CHANNEL_EXECUTE_COMPLETE", **_EXECUTE) for _ in range(6)]
    call += [small("DTMF", {**_CHANNEL, **_DTMF}) for _ in range(3)]
    call += [full("CHANNEL_BRIDGE"), full("CHANNEL_UNBRIDGE"), full("PLAYBACK_STOP"), full("RECORD_STOP")]
    call += [full("CHANNEL_HANGUP", **{"Hangup-Cause": "NORMAL_CLEARING"})]
    call += [full("CHANNEL_HANGUP_COMPLETE", **{"Hangup-Cause": "NORMAL_CLEARING"})]
    return [*call, small("CUSTOM", _REGISTER), small("HEARTBEAT", _HEARTBEAT)]


def _stream(encode: Any, count: int) -> Iterator[bytes]:
    frames = [encode(event) for event in events()]
    for start in range(0, count, 50):
        yield b"".join(itertools.islice(itertools.cycle(frames), min(50, count - start)))
    yield encode({"Event-Name": END})


def serve(peer: socket.socket, count: int) -> None:
    """One client, until it goes."""
    decoder = wire.CommandDecoder()
    peer.sendall(wire.encode([("Content-Type", wire.AUTH_REQUEST)]))
    while data := peer.recv(65536):
        decoder.feed(data)
        while (request := decoder.next()) is not None:
            if request.line.startswith("api "):
                peer.sendall(wire.encode_api("5f0c7c56-1d2e-4d3b-9a41-6f9a0c1f2b11"))
                continue
            peer.sendall(wire.encode_reply("+OK accepted"))
            if request.line.startswith("event "):
                json = " json" in request.line
                for piece in _stream(wire.encode_event_json if json else wire.encode_event_plain, count):
                    peer.sendall(piece)


def main(count: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            peer, _ = listener.accept()
            with peer:
                try:
                    serve(peer, count)
                except OSError:  # the client has seen enough
                    continue


if __name__ == "__main__":
    main(int(sys.argv[1]))
