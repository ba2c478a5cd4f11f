"""The knowledge of the house: versions, two persons, search in both languages, files; on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from engine.errors import NotFound, WrongState
from engine.records.knowledge import KINDS, STATES, Library
from engine.records.knowledge_files import parse, render
from engine.records.search_terms import terms
from engine.store.all_tables import metadata
from engine.types import KnowledgeView

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = create_engine(database_url, poolclass=NullPool)
    metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def library(session: Session, today: date = TODAY, **more: Any) -> Library:
    return Library(
        session, now=NOW, today=today, department="expert", by="li.na", numbers=random.Random(1), **more
    )


def published(book: Library, title: str, text: str, **more: Any) -> KnowledgeView:
    made = book.draft(title, {"zh-CN": text}, **more)
    book.review(made.id, "wang.wei")
    return book.publish(made.id, "wang.wei")


def test_an_answer_goes_from_a_draft_over_a_second_person_to_its_publication(session: Session) -> None:
    book = library(session)
    draft = book.draft("木架怎么收费？", {"zh-CN": "每立方米150元。"}, topic="tariff", id="1001")
    assert (draft.state, draft.version, draft.editors, draft.department) == ("draft", 1, ("li.na",), "expert")
    assert book.get("1001") is None
    with pytest.raises(WrongState, match="somebody else must review it"):
        book.review("1001", "li.na")
    with pytest.raises(WrongState, match="is draft: it can't be published"):
        book.publish("1001", "wang.wei")
    assert book.review("1001", "wang.wei").reviewed_by == "wang.wei"
    assert book.publish("1001", "wang.wei").published == NOW
    found = book.get("1001")
    assert found is not None
    assert found.text("en") == "每立方米150元。"


def test_a_new_version_is_a_draft_while_the_old_one_holds(session: Session) -> None:
    book = library(session)
    first = published(book, "木架怎么收费？", "150元。")
    second = book.edit(first.id, by="wang.wei", answers={"zh-CN": "160元。"})
    assert (second.version, second.state) == (2, "draft")
    held = book.get(first.id)
    assert held is not None
    assert held.version == 1
    with pytest.raises(WrongState, match="written by wang"):
        book.review(first.id, "wang.wei")
    book.review(first.id, "li.na")
    book.publish(first.id, "li.na")
    assert [(one.version, one.state) for one in book.versions(first.id)] == [
        (2, "published"),
        (1, "superseded"),
    ]


def test_who_changes_a_reviewed_draft_makes_it_a_draft_again(session: Session) -> None:
    book = library(session)
    made = book.draft("问题", {"zh-CN": "答案"})
    book.review(made.id, "wang.wei")
    again = book.edit(made.id, by="zhao.min", title="另一个问题")
    assert (again.state, again.reviewed_by, again.editors) == ("draft", "", ("li.na", "zhao.min"))
    with pytest.raises(WrongState):
        book.review(made.id, "zhao.min")


def test_a_version_holds_from_its_day_on(session: Session) -> None:
    book = library(session)
    first = published(book, "运价", "旧价")
    book.edit(first.id, answers={"zh-CN": "新价"}, valid_from=date(2026, 12, 1))
    book.review(first.id, "wang.wei")
    book.publish(first.id, "wang.wei")
    for day, text in ((TODAY, "旧价"), (date(2026, 12, 1), "新价")):
        found = library(session, day).get(first.id)
        assert found is not None
        assert found.text("zh-CN") == text
        assert [one.text("zh-CN") for one in library(session, day).search("运价")] == [text]


def test_what_is_over_or_withdrawn_holds_no_more(session: Session) -> None:
    book = library(session)
    over = published(book, "春节", "放假", valid_until=date(2026, 11, 22))
    gone = published(book, "国庆", "放假")
    assert book.withdraw(gone.id, "wang.wei", "wrong").why == "wrong"
    assert (book.get(over.id), book.get(gone.id)) == (None, None)
    assert book.search("放假") == []


def test_only_knowledge_editors_among_the_agents_review_and_publish(session: Session) -> None:
    roles = {"8031": ["agent"], "8032": ["agent", "knowledge_editor"]}
    book = library(session, roles_of=lambda who: roles.get(who))
    made = book.draft("问题", {"zh-CN": "答案"})
    with pytest.raises(WrongState, match="8031 is no knowledge editor"):
        book.review(made.id, "8031")
    book.review(made.id, "8032")
    assert book.publish(made.id, "8032").state == "published"


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ("木架", ["木架怎么收费？"]),
        ("收费", ["木架怎么收费？", "上门接货要收费吗"]),
        ("wooden crates", ["木架怎么收费？"]),
        ("保价 赔偿", ["保价货物丢失怎么赔偿"]),
        ("火箭", []),
        ("  ", ["木架怎么收费？", "上门接货要收费吗", "保价货物丢失怎么赔偿"]),
    ],
)
def test_words_are_found_in_chinese_and_in_english(session: Session, asked: str, titles: list[str]) -> None:
    book = library(session)
    rows = [
        ("1001", "木架怎么收费？", {"zh-CN": "每立方米150元。", "en": "A wooden crate costs 150 yuan."}),
        ("1002", "上门接货要收费吗", {"zh-CN": "接货50元。"}),
        ("1003", "保价货物丢失怎么赔偿", {"zh-CN": "按声明价值赔偿。"}),
    ]
    for id, title, answers in rows:
        book.draft(title, answers, id=id)
        book.review(id, "wang.wei")
        book.publish(id, "wang.wei")
    assert [one.title for one in book.search(asked)] == titles


def test_what_stands_in_the_title_comes_first(session: Session) -> None:
    book = library(session)
    published(book, "其他", "关于木架的说明很长，木架", id="1")
    published(book, "木架", "见价目表", id="2")
    assert [one.id for one in book.search("木架")] == ["2", "1"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"id": "a b"}, "an id is letters"),
        ({"kind": "poem"}, "not poem"),
        ({"title": " "}, "needs a title"),
        ({"valid_from": date(2026, 12, 2), "valid_until": date(2026, 12, 1)}, "before it begins"),
        ({"quiz": [{"ask": "?", "choices": ["a"], "right": 1}]}, "2 to 9 choices"),
        ({"quiz": [{"ask": "?", "choices": ["a", "b"], "right": 3}]}, "number of the right choice"),
    ],
)
def test_what_can_not_be_used_is_refused(session: Session, values: dict[str, Any], why: str) -> None:
    book = library(session)
    with pytest.raises(WrongState, match=why):
        book.draft(**{"title": "问题", "answers": {"zh-CN": "答案"}, **values})


def test_an_item_that_there_is_not(session: Session) -> None:
    book = library(session)
    with pytest.raises(NotFound, match="no knowledge item 9"):
        book.edit("9", title="x")
    book.draft("问题", {}, id="9")
    with pytest.raises(WrongState, match="has no answer yet"):
        book.review("9", "wang.wei")
    with pytest.raises(WrongState, match="there is an item 9 already"):
        book.draft("问题", {}, id="9")


def test_a_publication_is_told_once_with_what_was_before(session: Session) -> None:
    book = library(session)
    first = published(book, "运价", "旧价")
    assert [(one.version, before) for one, before in book.untold()] == [(1, None)]
    book.edit(first.id, answers={"zh-CN": "新价"})
    book.review(first.id, "wang.wei")
    book.publish(first.id, "wang.wei")
    [(told, before)] = book.untold()
    assert before is not None
    assert (told.version, before.version, book.untold()) == (2, 1, [])


def test_the_terms_of_a_text() -> None:
    assert set(terms("木架的价格 A wooden Crate, 150 crates")) == {
        "木架", "架的", "的价", "价格", "a", "wooden", "crate", "150",
    }  # fmt: skip
    assert terms("货")["货"] == 1


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\x00\x85\u2028\u2029", exclude_categories=["Cs"])
)
_LINE = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)
    .map(str.strip)
    .filter(bool)
)
_ITEMS = st.builds(
    KnowledgeView,
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    version=st.integers(1, 999),
    state=st.sampled_from(STATES),
    kind=st.sampled_from(KINDS),
    title=_LINE,
    topic=_LINE | st.just(""),
    answers=st.dictionaries(st.sampled_from(["zh-CN", "en"]), _TEXT.map(str.strip).filter(bool)),
    spoken=st.dictionaries(st.sampled_from(["zh-CN", "en"]), _TEXT.map(str.strip).filter(bool)),
    titles=st.dictionaries(st.sampled_from(["zh-CN", "en"]), _LINE, max_size=2),
    must_read=st.lists(_LINE, max_size=3).map(tuple),
    valid_from=st.none() | st.dates(),
    published=st.none() | st.datetimes(timezones=st.just(UTC)),
    by=_LINE | st.just(""),
    quiz=st.lists(
        st.fixed_dictionaries(
            {"ask": _LINE, "choices": st.lists(_LINE, min_size=2, max_size=4), "right": st.just(1)}
        ),
        max_size=2,
    ).map(tuple),
)


@given(_ITEMS)
@settings(deadline=None, max_examples=200)
def test_what_is_written_to_a_file_is_read_back_as_it_was(item: KnowledgeView) -> None:
    assert parse(render(item)) == item


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# no head", "does not begin with a head"),
        ("---\nid: '1'\n---\n", "it has no title"),
        ("---\nid: '1'\ntitle: a\ncolour: red\n---\n", "an item has no colour"),
        ("---\nid: '1'\ntitle: a\nstate: new\n---\n", "there is no state new"),
        ("---\nid: '1'\ntitle: a\n---\n\nlost\n", "text before the first section"),
        ("---\nid: '1'\ntitle: a\n---\n## en\na\n## en\nb\n", "two sections en"),
        ("---\nid: [\n---\n", "no YAML"),
        ("---\nid: '1'\ntitle: a\nvalid_from: soon\n---\n", "Invalid isoformat"),
    ],
)
def test_a_file_that_is_none_is_named_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(WrongState, match=why) as raised:
        parse(text, "1.md")
    assert str(raised.value).startswith("1.md: ")


def test_days_of_a_sample_may_be_told_from_today(session: Session) -> None:
    text = "---\nid: '1'\ntitle: a\nstate: published\npublished: '-5'\nvalid_from: '-5'\n---\n## en\nx\n"
    item = parse(text, today=TODAY)
    assert (item.valid_from, item.published) == (date(2026, 11, 18), datetime(2026, 11, 18, tzinfo=UTC))
    kept = library(session).put(item)
    assert library(session).put(replace(item, title="b")) == kept
