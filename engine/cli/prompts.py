"""``insideline prompts``: rendering what callers hear before they hear it."""

from __future__ import annotations

import click

from engine.cli.failing import Failed
from engine.cli.home import home, home_option
from engine.cli.show import length


@click.group()
def prompts() -> None:
    """What callers hear."""


@prompts.command()
@home_option
def build() -> None:
    """Render all prompts into the cache, so that no call waits for one."""
    from gevent.threadpool import ThreadPool

    from engine.cli.offline import installation_of, quiet
    from engine.clock import Clock
    from engine.flows.literals import literal_texts
    from engine.prompts import Prompts, find_voice, load_say_as

    made = installation_of(home())
    quiet()
    mistakes = [fault for fault in made.faults.errors if "prompts" in fault.file]
    say_as, more = load_say_as(made.home / "prompts")
    mistakes += more.errors
    if mistakes:
        raise Failed("\n".join(fault.pretty() for fault in mistakes))
    clock, pool = Clock(), ThreadPool(2)
    voice = clock.blocking(pool, find_voice, say_as)
    library = Prompts(
        made.catalogue,
        voice,
        made.folders.prompt_cache,
        clock,
        timezone=made.settings.timezone,
        limit_bytes=made.settings.prompts.cache_size,
        pool=pool,
        formats={name: one.words for name, one in made.host.formats.items()},
    )
    try:
        done = library.warm(
            made.settings.languages, literal_texts(made.flows) if made.flows is not None else ()
        )
    finally:
        pool.kill()
    click.echo(
        f"{done.prompts} prompts: {done.recorded} pieces recorded, {done.rendered} rendered now, "
        f"{done.cached} were there, {length(done.seconds)} of sound in {made.folders.prompt_cache}"
    )
    click.echo(library.voices.line)
    if done.failed:
        raise Failed(f"{done.failed} pieces could not be rendered")
