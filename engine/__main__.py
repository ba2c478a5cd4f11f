"""The program ``insideline``. gevent patches before anything else is imported."""

import engine.patched  # noqa: F401, I001
from gevent import config

# Else each greenlet remembers the stack that spawned it: 0.6 KiB, and a third of what starting one costs.
config.track_greenlet_tree = False


def main() -> None:
    """The command line."""
    from gevent.hub import Hub

    from engine.cli.main import cli

    # Ctrl-C is no error of the hub: without this it prints a line of its own before the command hears of it.
    Hub.NOT_ERROR = (*Hub.NOT_ERROR, KeyboardInterrupt)
    cli(prog_name="insideline")


if __name__ == "__main__":
    main()
