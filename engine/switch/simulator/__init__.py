"""A stand-in for FreeSWITCH: the same event socket, with scripted people at its phones."""

from engine.switch.simulator.party import Playback
from engine.switch.simulator.people import PhoneRing, SimCaller, SimPhone, SimRing
from engine.switch.simulator.simulator import Simulator

__all__ = ["PhoneRing", "Playback", "SimCaller", "SimPhone", "SimRing", "Simulator"]
