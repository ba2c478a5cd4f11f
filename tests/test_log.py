"""What must not be seen is not in the log, whatever it is called and wherever it lies."""

from __future__ import annotations

import io
import json
import logging
import pickle

import orjson
import pytest
import structlog

from engine.clock import Clock
from engine.log import Secret, about, is_secret_name, masked, set_up


@pytest.fixture
def out():
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    yield stream
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_where_nobody_watches_it_writes_json(out: io.StringIO) -> None:
    set_up(stream=out)
    structlog.get_logger("t").info("call.arrived", number="+8613802880001", city="广州")
    (line,) = lines(out)
    assert line["event"] == "call.arrived"
    assert line["level"] == "info"
    assert "广州" in out.getvalue()


def test_secrets_are_masked_by_name_at_any_depth(out: io.StringIO) -> None:
    for format in ("json", "console"):
        set_up(format=format, stream=out)
        structlog.get_logger("t").info(
            "step", agent_pin="2580", cardNumber="2580", data={"x": [{"password": "2580"}]}, digits=("2580",)
        )
    assert "2580" not in out.getvalue()


def test_a_secret_shows_nothing_in_a_log_a_text_or_an_error(out: io.StringIO) -> None:
    pin = Secret("2580")
    for format in ("json", "console"):
        set_up(format=format, stream=out)
        log = structlog.get_logger("t")
        log.info("x", value=pin, deep={"a": [pin]})
        try:
            raise ValueError(f"wrong: {pin}, {pin!r}, {pin:>10}, %s" % pin)
        except ValueError:
            log.exception("y")
    assert "2580" not in out.getvalue()
    assert "***" in out.getvalue()
    assert pin.reveal() == "2580"
    assert pin == "2580"
    assert pin == Secret("2580")
    assert pin != "2581"
    with pytest.raises(TypeError):
        pickle.dumps(pin)
    with pytest.raises(TypeError):
        orjson.dumps({"pin": pin})
    with pytest.raises(TypeError):
        "".join([pin])  # type: ignore[list-item]


def test_a_traceback_shows_no_local_variables(out: io.StringIO) -> None:
    set_up(format="console", stream=out)
    typed = "25" + "80"
    try:
        raise RuntimeError("inside")
    except RuntimeError:
        structlog.get_logger("t").exception("failed")
    assert typed not in out.getvalue()
    assert "RuntimeError" in out.getvalue()


def test_other_libraries_are_heard_in_the_same_form_and_masked_too(out: io.StringIO) -> None:
    set_up(stream=out)
    logging.getLogger("alembic.runtime").info("too much detail")
    logging.getLogger("alembic.runtime").warning("careful")
    assert [line["event"] for line in lines(out)] == ["careful"]


def test_a_line_says_which_call_it_is_about_and_so_do_greenlets_begun_there(out: io.StringIO) -> None:
    set_up(stream=out)
    clock = Clock()
    log = structlog.get_logger("t")
    with about(call="c1"):
        log.info("one")
        child = clock.spawn(log.info, "two")
    child.join()
    log.info("three")
    assert [(line["event"], line.get("call")) for line in lines(out)] == [
        ("one", "c1"),
        ("two", "c1"),
        ("three", None),
    ]


@pytest.mark.parametrize(
    "name", ["pin", "agent_pin", "cardNumber", "sip-password", "PIN", "digits_dialed", "apiToken"]
)
def test_names_that_mean_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["shipping", "opinion", "key", "payment_arrived", "spin", "call", "seconds"])
def test_names_that_only_look_like_one(name: str) -> None:
    assert not is_secret_name(name)


def test_masking_changes_a_copy_and_stops_at_a_depth() -> None:
    data: dict[str, object] = {"pin": "1"}
    assert masked(data) == {"pin": "***"}
    assert data == {"pin": "1"}
    endless: list[object] = []
    endless.append(endless)
    assert "***" in str(masked(endless))
