"""The pytest plugin for departments: ``centre``, ``caller``, ``agent`` and ``seed``."""

from engine.testing import patched  # noqa: F401 - gevent patches before anything else is imported
