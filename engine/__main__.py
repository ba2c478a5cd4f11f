"""The program ``insideline``. gevent patches before anything else is imported."""

from gevent import monkey

monkey.patch_all()


def main() -> None:
    """The command line."""
    from engine.cli.main import cli

    cli(prog_name="insideline")


if __name__ == "__main__":
    main()
