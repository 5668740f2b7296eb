"""The page of operators: who may use it, what it changes, and that somebody who looks after them is always left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.console.rendering import Pages
from bot.desk.ownership import Owner
from bot.identity.roles import Role
from bot.services import assignment, handoff, operator_admin, operators
from bot.services.deps import Deps
from bot.services.operator_admin import Act, Changed, FirstPassword, NotManaged, OperatorRow
from bot.services.operators import LoginRefusal, OperatorView, Unfinished
from bot.store import tables
from tests.builders.approvals import an_operator_view
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import PASSWORD, SetClock, Talk, a_conversation, a_desk, an_operator


def row_of(deps: Deps, by: OperatorView, operator_id: str) -> OperatorRow:
    rows = operator_admin.listing(deps, by)
    assert not isinstance(rows, NotManaged)
    return next(row for row in rows if row.id == operator_id)


def events_on(deps: Deps, operator_id: str) -> list[tuple[str, str | None]]:
    with deps.read() as session:
        entries = session.scalars(
            select(tables.AuditEntry).where(
                tables.AuditEntry.subject_kind == "operator", tables.AuditEntry.subject_id == operator_id
            )
        )
        return [(entry.event, entry.actor_id) for entry in entries]


def test_a_new_operator_gets_a_password_that_they_have_to_replace(deps: Deps) -> None:
    admin = an_operator_view(deps, Role.ADMIN)
    made = operator_admin.create(deps, admin, "li.na", " 李娜 ", Role.AGENT, " 一组 ")
    assert isinstance(made, FirstPassword)
    assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", made.password)
    assert isinstance(operators.log_in(deps, "li.na", made.password), Unfinished), "a password of their own is next"
    rows = operator_admin.listing(deps, admin)
    assert not isinstance(rows, NotManaged)
    row = next(row for row in rows if row.login == "li.na")
    assert (row.display_name, row.team, row.must_change_password) == ("李娜", "一组", True)
    assert events_on(deps, row.id)[0] == ("operator_created", admin.id)


@pytest.mark.parametrize(
    ("login", "name", "team", "why"),
    [
        ("admin", "重名", "", NotManaged.LOGIN_TAKEN),
        ("Li Na", "李娜", "", NotManaged.LOGIN_UNFIT),
        ("", "李娜", "", NotManaged.LOGIN_UNFIT),
        ("lina", " ", "", NotManaged.NAME_UNFIT),
        ("lina", "李" * 41, "", NotManaged.NAME_UNFIT),
        ("lina", "李\u202e娜", "", NotManaged.NAME_UNFIT),
        ("lina", "李娜", "组" * 41, NotManaged.TEAM_TOO_LONG),
    ],
)
def test_an_account_that_makes_no_sense_is_not_made(
    deps: Deps, login: str, name: str, team: str, why: NotManaged
) -> None:
    admin = an_operator_view(deps, Role.ADMIN)
    assert operator_admin.create(deps, admin, login, name, Role.AGENT, team) is why


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR, Role.COMPLIANCE])
def test_only_administrators_look_after_operators(deps: Deps, role: Role) -> None:
    other = an_operator_view(deps, role, "other")
    an_operator(deps, "boss", role=Role.ADMIN)
    assert operator_admin.listing(deps, other) is NotManaged.NOT_ALLOWED
    assert operator_admin.create(deps, other, "lina", "李娜", Role.ADMIN, "") is NotManaged.NOT_ALLOWED
    assert operator_admin.change(deps, other, other.id, "其他", Role.ADMIN, "") is NotManaged.NOT_ALLOWED
    for what in Act:
        assert operator_admin.act(deps, other, other.id, what) is NotManaged.NOT_ALLOWED


def test_who_was_demoted_a_moment_ago_changes_nothing_any_more(deps: Deps) -> None:
    first, second = an_operator_view(deps, Role.ADMIN), an_operator_view(deps, Role.ADMIN, "second")
    assert operator_admin.change(deps, first, second.id, "第二位", Role.AGENT, "") == Changed()
    assert operator_admin.change(deps, second, first.id, "第一位", Role.AGENT, "") is NotManaged.NOT_ALLOWED


def test_the_last_administrator_at_work_stays_one(deps: Deps) -> None:
    admin = an_operator_view(deps, Role.ADMIN)
    gone = an_operator_view(deps, Role.ADMIN, "gone")
    assert operator_admin.act(deps, admin, gone.id, Act.DISABLE) == Changed()
    assert operator_admin.change(deps, admin, admin.id, "小陈", Role.SUPERVISOR, "") is NotManaged.LAST_ADMIN
    assert operator_admin.act(deps, admin, admin.id, Act.DISABLE) is NotManaged.LAST_ADMIN
    assert operator_admin.act(deps, admin, gone.id, Act.ENABLE) == Changed()
    assert operator_admin.act(deps, admin, admin.id, Act.DISABLE) == Changed()


def test_of_two_administrators_who_demote_each_other_at_once_one_is_left(deps: Deps) -> None:
    both = (an_operator_view(deps, Role.ADMIN), an_operator_view(deps, Role.ADMIN, "second"))

    def demote(pair: tuple[OperatorView, OperatorView]) -> Changed | NotManaged:
        return operator_admin.change(deps, pair[0], pair[1].id, "同事", Role.AGENT, "")

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(demote, (both, both[::-1])))
    assert sum(outcome == Changed() for outcome in done) == 1


def test_a_disabled_operator_is_out_at_once_and_their_conversations_wait(deps: Deps) -> None:
    admin, chen = an_operator_view(deps, Role.ADMIN), an_operator_view(deps, Role.AGENT, "chen")
    token = operators.log_in(deps, "chen", PASSWORD)
    assert isinstance(token, str)
    conversation_id = a_conversation(deps, Talk())
    handoff.take(deps, conversation_id, chen.id)
    assert row_of(deps, admin, chen.id).in_hand == 1

    assert operator_admin.act(deps, admin, chen.id, Act.DISABLE) == Changed()
    assert operators.current(deps, token) is None
    assert operators.log_in(deps, "chen", PASSWORD) is LoginRefusal.WRONG
    assert chen.id not in {one.id for one in assignment.colleagues(deps)}
    with deps.read() as session:
        assert session.get_one(tables.Conversation, conversation_id).owner == Owner.QUEUED
    refused = assignment.assign_to_person(deps, admin, conversation_id, chen.id)
    assert refused is handoff.Refusal.NO_SUCH_COLLEAGUE

    operator_admin.act(deps, admin, chen.id, Act.ENABLE)
    assert isinstance(operators.log_in(deps, "chen", PASSWORD), str)
    assert [event for event, _ in events_on(deps, chen.id)][-3:-1] == ["operator_disable", "operator_enable"]


def test_who_may_no_longer_answer_has_nothing_in_hand(deps: Deps) -> None:
    admin, chen = an_operator_view(deps, Role.ADMIN), an_operator_view(deps, Role.AGENT, "chen")
    conversation_id = a_conversation(deps, Talk())
    handoff.take(deps, conversation_id, chen.id)
    operator_admin.change(deps, admin, chen.id, "小陈", Role.SUPERVISOR, "")
    with deps.read() as session:
        assert session.get_one(tables.Conversation, conversation_id).owner == Owner.HUMAN
    operator_admin.change(deps, admin, chen.id, "小陈", Role.COMPLIANCE, "")
    with deps.read() as session:
        assert session.get_one(tables.Conversation, conversation_id).owner == Owner.QUEUED


def test_a_reset_password_works_once_and_the_old_one_no_more(deps: Deps) -> None:
    admin, chen = an_operator_view(deps, Role.ADMIN), an_operator_view(deps, Role.AGENT, "chen")
    token = operators.log_in(deps, "chen", PASSWORD)
    assert isinstance(token, str)
    made = operator_admin.act(deps, admin, chen.id, Act.RESET)
    assert isinstance(made, FirstPassword)
    assert operators.current(deps, token) is None
    assert operators.log_in(deps, "chen", PASSWORD) is LoginRefusal.WRONG
    assert isinstance(operators.log_in(deps, "chen", made.password), Unfinished)
    assert ("operator_reset", admin.id) in events_on(deps, chen.id)


def test_a_lost_app_is_forgotten_and_a_lock_lifted(deps: Deps) -> None:
    admin, chen = an_operator_view(deps, Role.ADMIN), an_operator_view(deps, Role.AGENT, "chen")
    with deps.begin() as session:
        session.get_one(tables.Operator, chen.id).totp_sealed = deps.vault.seal(operators.TOTP, "JBSWY3DPEHPK3PXP")
    assert row_of(deps, admin, chen.id).has_app
    operator_admin.act(deps, admin, chen.id, Act.FORGET_APP)
    assert not row_of(deps, admin, chen.id).has_app
    for _ in range(operators.ALLOWED_FAILURES):
        operators.log_in(deps, "chen", "not the password")
    assert row_of(deps, admin, chen.id).locked_until is not None
    operator_admin.act(deps, admin, chen.id, Act.UNLOCK)
    assert isinstance(operators.log_in(deps, "chen", PASSWORD), str)


# The page ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleBrowser]:
    clock = SetClock()
    desk = a_desk(tmp_path, clock)
    yield ConsoleBrowser(desk, clock, "/operators")
    desk.database.engine.dispose()


def test_the_page_shows_a_new_password_once(console: ConsoleBrowser) -> None:
    console.log_in_as(Role.ADMIN, "boss", "老板")
    made = console.send("", login="lina", display_name="李娜", role="supervisor", team="一组")
    assert made.status_code == 200
    found = re.search(r"<code>([a-z2-9-]{19})</code>", made.text)
    assert found
    assert made.headers["cache-control"] == "no-store"
    again = console.shown()
    assert found.group(1) not in again
    for words in ("李娜", "主管", "还没换密码", "还没登录过"):
        assert words in again


def test_what_was_refused_is_given_back_with_the_reason(console: ConsoleBrowser) -> None:
    admin_id = console.log_in_as(Role.ADMIN, "boss", "老板")
    refused = console.send("", login="Li Na", display_name="<b>李娜</b>", team="一组")
    assert refused.status_code == 409
    assert 'value="&lt;b&gt;李娜&lt;/b&gt;"' in refused.text
    assert "小写字母" in refused.text
    last = console.send(f"/{admin_id}/act", what="disable")
    assert last.status_code == 409
    assert "最后一位在用的管理员" in last.text
    assert console.send(f"/{'0' * 32}/act", what="unlock").status_code == 409


def test_a_refused_change_is_given_back_where_it_was_typed(console: ConsoleBrowser) -> None:
    admin_id = console.log_in_as(Role.ADMIN, "boss", "老板")
    refused = console.send(f"/{admin_id}", display_name="<b>老板娘</b>", role="agent", team="二组")
    assert refused.status_code == 409
    theirs = refused.text[refused.text.index(f'id="operator-{admin_id}"') :]
    assert "<details open>" in theirs
    assert 'name="display_name" value="&lt;b&gt;老板娘&lt;/b&gt;"' in theirs
    assert 'name="team" value="二组"' in theirs
    assert '<option value="agent" selected>' in theirs
    assert refused.text.count("老板娘") == 1, "nothing of it in the form for a new account"
    assert "老板娘" not in console.shown()


def test_the_way_to_the_page_is_shown_to_administrators_only(console: ConsoleBrowser) -> None:
    for role, is_shown in ((Role.ADMIN, True), (Role.SUPERVISOR, False)):
        console.log_in_as(role, role.value)
        assert ('href="/console/operators"' in console.browser.get("/console/").text) is is_shown


def test_every_code_of_the_page_has_words(console: ConsoleBrowser) -> None:
    words = Pages(console.deps).words("_operator_words.html")
    assert set(words["NOT_MANAGED"]) == set(NotManaged)
    assert set(words["ACT"]) == set(Act)
