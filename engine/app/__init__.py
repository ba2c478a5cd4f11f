"""The composition root: what an installation holds, and the engine that is made of it."""

from engine.app.app import App
from engine.app.installation import Installation, read_installation

__all__ = ["App", "Installation", "read_installation"]
