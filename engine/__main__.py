"""The program ``insideline``. gevent patches before anything else is imported."""

from gevent import monkey

monkey.patch_all()


def main() -> None:
    """The command line."""
    from gevent.hub import Hub

    from engine.cli.main import cli

    # Ctrl-C is no error of the hub: without this it prints a line of its own before the command hears of it.
    Hub.NOT_ERROR = (*Hub.NOT_ERROR, KeyboardInterrupt)
    cli(prog_name="insideline")


if __name__ == "__main__":
    main()
