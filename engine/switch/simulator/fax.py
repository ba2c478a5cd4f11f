"""``txfax FILE``: a fax goes out to whatever answered.

As on the switch: variables ``fax_*`` on the channel and a CUSTOM event ``spandsp::txfaxresult`` when it is over, then
the channel goes on with its plan, which ends. Pages are told by the TIFF's own directory; a page takes some twenty
seconds. What the far end is (``party.fax``) decides the end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from engine.clock import Timer
from engine.switch.simulator.running import Running

MODULE = "mod_spandsp"
HANDSHAKE = 8.0
PAGE = 20.0
PATIENCE = 60.0  # seconds that a machine calls into silence before it gives up

#: Results as the switch words them.
OK = (0, "OK")
NO_MACHINE = (2, "Timed out waiting for initial communication")
NO_FILE = (40, "TIFF/F file cannot be opened")
DROPPED = (49, "The call dropped prematurely")


def pages_of(path: str) -> int:
    """How many pages a TIFF has; 0 when it is none."""
    try:
        data = Path(path).read_bytes()
        order = {b"II": "<", b"MM": ">"}[data[:2]]
        magic, at = struct.unpack_from(order + "HI", data, 2)
        count = 0
        while magic == 42 and at and count < 1000:
            (entries,) = struct.unpack_from(order + "H", data, at)
            (at,) = struct.unpack_from(order + "I", data, at + 2 + 12 * entries)
            count += 1
    except (OSError, KeyError, struct.error):
        return 0
    return count


class TxFax(Running):
    """One transmission."""

    def start(self) -> None:
        channel = self.channel
        self._machine = channel.party.fax
        self._pages, self._sent = pages_of(self.arg), 0
        self._timer: Timer | None = None
        self._done = False
        channel.set("fax_filename", self.arg)
        if not self._pages:
            self._result(*NO_FILE)
        elif self._machine.silent:
            self._later(PATIENCE, lambda: self._result(*NO_MACHINE))
        else:
            self._later(HANDSHAKE, self._page)

    def _later(self, seconds: float, deed: Callable[[], object]) -> None:
        self._timer = self.channel.clock.after(seconds, deed)

    def _page(self) -> None:
        if self._sent == self._pages:
            self._result(*OK)
        elif self._machine.takes is not None and self._sent >= self._machine.takes:
            self.channel.hangup("NORMAL_CLEARING", by_far_end=True)
        else:
            self._sent += 1
            self._later(PAGE, self._page)

    def _result(self, code: int, text: str) -> None:
        if self._done:
            return
        self._done = True
        channel = self.channel
        success = "1" if code == 0 else "0"
        sent, pages = str(self._sent), str(self._pages)
        station = "" if self._machine.silent else self._machine.station
        facts = {
            "fax_success": success,
            "fax_result_code": str(code),
            "fax_result_text": text,
            "fax_ecm_used": "on" if code == 0 else "off",
            "fax_t38_status": "off",
            "fax_remote_station_id": station,
            "fax_document_transferred_pages": sent,
            "fax_document_total_pages": pages,
        }
        channel.variables.update({name: value for name, value in facts.items() if value})
        channel.switch.bus.fire(
            "CUSTOM",
            channel,
            {
                "fax-success": success,
                "fax-result-code": str(code),
                "fax-result-text": text,
                "fax-document-transferred-pages": sent,
                "fax-document-total-pages": pages,
                "fax-remote-station-id": station,
            },
            subclass="spandsp::txfaxresult",
        )
        self.resume()

    def resume(self) -> None:
        channel = self.channel
        if self._done and channel.stack and channel.stack[-1] is self:
            channel.finish(self)

    def abort(self) -> str | None:
        if self._timer is not None:
            self._timer.cancel()
        self._result(*DROPPED)
        return None
