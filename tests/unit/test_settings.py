"""Settings: what is refused, that the refusal names the setting, and that no secret is ever printed."""

import base64
import json
import os
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Settings, SettingsError, load_settings

KEY = base64.b64encode(b"k" * 32).decode()
SECRETS = {
    "DESK_DATA_KEY": "data-key-not-to-be-shown",
    "DESK_LOOKUP_KEY": "lookup-key-not-to-be-shown",
    "DESK_RASA_SECRET": "rasa-secret-not-to-be-shown",
    "DESK_ACTIONS_SECRET": "actions-secret-not-to-be-shown",
    "TELEGRAM_BOT_TOKEN": "12345:token-not-to-be-shown",
}
DATABASE_PASSWORD = "password-not-to-be-shown"
PRODUCTION = {
    **SECRETS,
    "DESK_MODE": "production",
    "DESK_DATABASE_URL": f"postgresql+psycopg://desk:{DATABASE_PASSWORD}@db.example.cn/desk",
    "DESK_CODE_WEBHOOK_URL": "https://sms.example.cn/send?key=webhook-key-not-to-be-shown",
    "DESK_CODE_WEBHOOK_KEY": "code-webhook-key-that-is-not-to-be-shown",
    "DESK_PUBLIC_ORIGIN": "https://desk.example.cn",
}
HIDDEN = re.compile("not-to-be-shown")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("DESK_") or name == "TELEGRAM_BOT_TOKEN":
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("DESK_VAR_DIR", str(tmp_path / "var"))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def set_all(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def test_a_demo_starts_with_nothing_set() -> None:
    settings = load_settings()
    assert settings.mode == "demo"
    assert settings.sqlalchemy_url == f"sqlite:///{settings.var_dir / 'desk.sqlite3'}"
    assert settings.origin == "http://127.0.0.1:8080"
    assert settings.rasa_url == "http://127.0.0.1:5005"


BEYOND = [
    ("DESK_GATEWAY_HOST", "0.0.0.0"),
    ("DESK_GATEWAY_HOST", "::"),
    ("DESK_GATEWAY_HOST", "192.0.2.7"),
    ("DESK_GATEWAY_HOST", "desk.example.cn"),
    ("DESK_PUBLIC_ORIGIN", "https://desk.example.cn"),
    ("DESK_PUBLIC_ORIGIN", "http://192.0.2.7:8080"),
    ("DESK_PUBLIC_ORIGIN", "https://localhost.example.cn"),
]


@pytest.mark.parametrize(("name", "value"), BEYOND)
def test_a_demo_that_others_could_reach_is_refused_with_a_way_out(
    given: pytest.MonkeyPatch, name: str, value: str
) -> None:
    given.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}: .*DESK_MODE=production.*DESK_DEMO_EXPOSED=yes"):
        load_settings()
    given.setenv("DESK_DEMO_EXPOSED", "yes")
    assert load_settings().mode == "demo"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_a_demo_on_this_machine_needs_no_leave_whatever_its_database(given: pytest.MonkeyPatch, host: str) -> None:
    given.setenv("DESK_GATEWAY_HOST", host)
    given.setenv("DESK_PUBLIC_ORIGIN", "http://[::1]:8080")
    given.setenv("DESK_DATABASE_URL", PRODUCTION["DESK_DATABASE_URL"])
    assert load_settings().gateway_host == host


def test_production_may_be_reached(given: pytest.MonkeyPatch) -> None:
    set_all(given, PRODUCTION | {"DESK_GATEWAY_HOST": "0.0.0.0"})
    assert load_settings().demo_exposed == "no"


def test_production_starts_when_everything_is_set(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_all(given, PRODUCTION)
    settings = load_settings()
    assert settings.origin == "https://desk.example.cn"
    assert settings.sqlalchemy_url == PRODUCTION["DESK_DATABASE_URL"]
    assert settings.telegram_bot_token.get_secret_value() == SECRETS["TELEGRAM_BOT_TOKEN"]
    assert not (tmp_path / "var").exists(), "production makes no keys of its own"


@pytest.mark.parametrize("missing", sorted(set(PRODUCTION) - {"DESK_MODE", "TELEGRAM_BOT_TOKEN"}))
def test_production_refuses_to_start_without(given: pytest.MonkeyPatch, missing: str) -> None:
    set_all(given, {name: value for name, value in PRODUCTION.items() if name != missing})
    with pytest.raises(SettingsError, match=missing) as refused:
        load_settings()
    assert not HIDDEN.search(str(refused.value))
    others = set(PRODUCTION) - {missing}
    assert not any(name in str(refused.value) for name in others)


def test_production_names_everything_that_is_missing_at_once(given: pytest.MonkeyPatch) -> None:
    given.setenv("DESK_MODE", "production")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    for name in set(PRODUCTION) - {"DESK_MODE", "TELEGRAM_BOT_TOKEN"}:
        assert name in str(refused.value)


@pytest.mark.parametrize("minutes", ["1", "-1440"])
def test_production_does_not_move_its_clock(given: pytest.MonkeyPatch, minutes: str) -> None:
    given.setenv("DESK_CLOCK_OFFSET_MINUTES", minutes)
    assert load_settings().clock_offset_minutes == int(minutes)
    set_all(given, PRODUCTION)
    with pytest.raises(SettingsError, match="DESK_CLOCK_OFFSET_MINUTES"):
        load_settings()


WRONG = {
    "DESK_CLOCK_OFFSET_MINUTES": ["5256001", "-5256001", "later"],
    "DESK_MODE": ["test", ""],
    "DESK_DEMO_EXPOSED": ["", "perhaps"],
    "DESK_LENDER_NAME": ["", "长" * 41],
    "DESK_GATEWAY_PORT": ["0", "65536", "web"],
    "DESK_RASA_PORT": ["0", "65536"],
    "DESK_ACTIONS_PORT": ["0", "65536"],
    "DESK_RASA_TIMEOUT_SECONDS": ["0", "121", "soon"],
    "DESK_RASA_SLOW_SECONDS": ["0", "61"],
    "DESK_SESSION_DAYS": ["0", "181"],
    "DESK_HUMAN_IDLE_MINUTES": ["4", "241"],
    "DESK_VERIFIED_IDLE_MINUTES": ["0", "31"],
    "DESK_FRESH_CHECK_MINUTES": ["0", "31"],
    "DESK_VERIFICATION_ATTEMPTS": ["0", "6"],
    "DESK_VERIFICATION_LOCK_MINUTES": ["29", "1441"],
    "DESK_CODE_MINUTES": ["0", "11"],
    "DESK_MESSAGE_MAX_CHARACTERS": ["99", "4001"],
    "DESK_SCHEDULER_TICK_SECONDS": ["0", "301"],
    "DESK_SMTP_PORT": ["0", "65536"],
    "DESK_SMTP_SECURITY": ["ssl", ""],
    "DESK_CODE_WEBHOOK_KEY": ["short-key-not-to-be-shown"],
    "DESK_SMS_WEBHOOK_KEY": ["short-key-not-to-be-shown"],
    "DESK_METRICS_KEY": ["short-key-not-to-be-shown"],
    "DESK_TELEGRAM_WEBHOOK_SECRET": [
        "short-not-to-be-shown",
        "秘密" * 20,
        "with a space, not-to-be-shown, long",
    ],
    "DESK_EMBED_ORIGINS": [
        "*",
        "null",
        "https://*.example.cn",
        "https://www.example.cn/",
        "https://www.example.cn,http://www.example.cn",
        "http://www.example.cn",
        "https://www.example.cn; script-src *",
        "https://www.example.cn https://other.example.cn",
        "https://user@www.example.cn",
        "www.example.cn",
        "data:",
        "https:",
    ],
    "DESK_PUBLIC_ORIGIN": ["desk.example.cn", "https://desk.example.cn/", "https://desk.example.cn/chat", "ftp://desk"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_by_the_name_of_its_setting(given: pytest.MonkeyPatch, name: str, value: str) -> None:
    set_all(given, SECRETS)
    given.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as refused:
        load_settings()
    assert not HIDDEN.search(str(refused.value))


def test_sites_that_may_embed_the_chat_are_listed_each_once(given: pytest.MonkeyPatch) -> None:
    assert load_settings().embedding_origins == ()
    given.setenv("DESK_EMBED_ORIGINS", " https://www.example.cn, http://localhost:8000 ,https://www.example.cn,")
    assert load_settings().embedding_origins == ("https://www.example.cn", "http://localhost:8000")


def test_a_desk_that_browsers_do_not_trust_is_not_embedded(given: pytest.MonkeyPatch) -> None:
    given.setenv("DESK_EMBED_ORIGINS", "https://www.example.cn")
    given.setenv("DESK_PUBLIC_ORIGIN", "http://desk.example.cn")
    with pytest.raises(SettingsError, match="DESK_PUBLIC_ORIGIN"):
        load_settings()


SECRET = "a-webhook-secret-that-is-not-to-be-shown"


@pytest.mark.parametrize(
    ("origin", "is_fine"),
    [
        ("https://desk.example.cn", True),
        ("https://desk.example.cn:8443", True),
        ("https://desk.example.cn:9443", False),
        ("https://desk.example.cn:99999", False),
        ("http://desk.example.cn", False),
        ("", False),
    ],
)
def test_telegram_calls_public_https_addresses_only(given: pytest.MonkeyPatch, origin: str, is_fine: bool) -> None:
    set_all(given, {**SECRETS, "DESK_TELEGRAM_WEBHOOK_SECRET": SECRET, "DESK_PUBLIC_ORIGIN": origin})
    given.setenv("DESK_DEMO_EXPOSED", "yes")
    given.delenv("DESK_DATA_KEY")
    given.delenv("DESK_LOOKUP_KEY")
    if is_fine:
        assert load_settings().origin == origin
        return
    with pytest.raises(SettingsError, match="DESK_PUBLIC_ORIGIN") as refused:
        load_settings()
    assert not HIDDEN.search(str(refused.value))


def test_a_bot_api_server_of_ones_own_may_call_anywhere(given: pytest.MonkeyPatch) -> None:
    given.setenv("DESK_TELEGRAM_WEBHOOK_SECRET", SECRET)
    given.setenv("DESK_TELEGRAM_API_BASE", "http://127.0.0.1:8081")
    assert load_settings().telegram_webhook_secret.get_secret_value() == SECRET


def test_every_numeric_setting_has_bounds_that_are_tried_here() -> None:
    numeric = {
        f"DESK_{name.upper()}" for name, field in Settings.model_fields.items() if field.annotation in (int, float)
    }
    assert numeric <= set(WRONG)


MAIL = {
    "DESK_SMTP_HOST": "mail.example.cn",
    "DESK_MAIL_FROM": "desk@example.cn",
    "DESK_SMTP_USER": "desk",
    "DESK_SMTP_PASSWORD": "smtp-password-not-to-be-shown",
}
CODES = {
    "DESK_CODE_WEBHOOK_URL": "https://sms.example.cn/codes?key=not-to-be-shown",
    "DESK_CODE_WEBHOOK_KEY": "code-webhook-key-that-is-not-to-be-shown",
}
TEXT_MESSAGES = {
    "DESK_SMS_WEBHOOK_URL": "https://sms.example.cn/notices?key=not-to-be-shown",
    "DESK_SMS_WEBHOOK_KEY": "sms-webhook-key-that-is-not-to-be-shown",
}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"DESK_MAIL_FROM": ""}, "DESK_MAIL_FROM"),
        ({"DESK_MAIL_FROM": "desk"}, "DESK_MAIL_FROM"),
        ({"DESK_SMTP_SECURITY": "none"}, "DESK_SMTP_SECURITY"),
        ({"DESK_SMTP_USER": ""}, "DESK_SMTP_USER"),
        ({"DESK_SMTP_PASSWORD": ""}, "DESK_SMTP_PASSWORD"),
        ({"DESK_SMS_WEBHOOK_URL": "http://sms.example.cn/notices"}, "DESK_SMS_WEBHOOK_URL"),
        ({"DESK_SMS_WEBHOOK_URL": "sms.example.cn"}, "DESK_SMS_WEBHOOK_URL"),
        ({"DESK_SMS_WEBHOOK_URL": "https://[sms.example.cn"}, "DESK_SMS_WEBHOOK_URL"),
        ({"DESK_SMS_WEBHOOK_KEY": ""}, "DESK_SMS_WEBHOOK_KEY"),
        ({"DESK_CODE_WEBHOOK_URL": "http://sms.example.cn/codes"}, "DESK_CODE_WEBHOOK_URL"),
        ({"DESK_CODE_WEBHOOK_URL": "sms.example.cn"}, "DESK_CODE_WEBHOOK_URL"),
        ({"DESK_CODE_WEBHOOK_KEY": ""}, "DESK_CODE_WEBHOOK_KEY"),
    ],
)
def test_unsafe_ways_to_send_notices_and_codes_are_refused_in_demo_mode_too(
    given: pytest.MonkeyPatch, changed: dict[str, str], named: str
) -> None:
    set_all(given, MAIL | TEXT_MESSAGES | CODES)
    assert load_settings().smtp_security == "starttls"
    set_all(given, changed)
    with pytest.raises(SettingsError, match=named) as refused:
        load_settings()
    assert not HIDDEN.search(str(refused.value))


def test_on_this_machine_notices_and_codes_need_no_encryption(given: pytest.MonkeyPatch) -> None:
    set_all(given, MAIL | TEXT_MESSAGES | CODES)
    set_all(given, {"DESK_SMTP_HOST": "127.0.0.1", "DESK_SMTP_SECURITY": "none"})
    set_all(given, {"DESK_SMS_WEBHOOK_URL": "http://127.0.0.1:9000/notices"})
    set_all(given, {"DESK_CODE_WEBHOOK_URL": "http://[::1]:9000/codes"})
    assert load_settings().smtp_host == "127.0.0.1"


@pytest.mark.parametrize("show", [repr, str])
def test_printing_the_settings_shows_no_secret(given: pytest.MonkeyPatch, show: object) -> None:
    set_all(given, PRODUCTION | MAIL | TEXT_MESSAGES)
    assert callable(show)
    assert not HIDDEN.search(str(show(load_settings())))


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_demo_keys_are_made_once_and_kept_for_the_owner_only(tmp_path: Path) -> None:
    first, second = load_settings(), load_settings()
    path = tmp_path / "var" / "demo-keys.json"
    assert first == second
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert len(base64.b64decode(first.data_key.get_secret_value(), validate=True)) == 32
    kept = [first.data_key, first.lookup_key, first.rasa_secret, first.actions_secret]
    assert len({secret.get_secret_value() for secret in kept}) == 4


def test_a_demo_key_that_is_given_wins_over_the_kept_one(given: pytest.MonkeyPatch) -> None:
    kept = load_settings()
    given.setenv("DESK_DATA_KEY", KEY)
    settings = load_settings()
    assert settings.data_key == SecretStr(KEY)
    assert settings.lookup_key == kept.lookup_key


def test_of_two_processes_that_start_together_the_keys_of_one_are_used_by_both(
    given: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "var" / "demo-keys.json"
    other = dict.fromkeys(("data_key", "lookup_key", "rasa_secret", "actions_secret"), KEY)
    link = os.link

    def other_was_faster(source: Path, target: Path) -> None:
        path.write_text(json.dumps(other), "utf-8")
        link(source, target)

    given.setattr(os, "link", other_was_faster)
    assert load_settings().data_key == SecretStr(KEY)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"data_key": "not-to-be-shown"}', '{"data_key": 1}'])
def test_damaged_demo_keys_are_refused_and_left_as_they_are(tmp_path: Path, content: str) -> None:
    path = tmp_path / "var" / "demo-keys.json"
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    with pytest.raises(SettingsError, match="DESK_VAR_DIR") as refused:
        load_settings()
    assert not HIDDEN.search(str(refused.value))
    assert path.read_text("utf-8") == content


def test_a_folder_that_cannot_be_made_is_refused(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    given.setenv("DESK_VAR_DIR", str(tmp_path / "file" / "var"))
    with pytest.raises(SettingsError, match="DESK_VAR_DIR"):
        load_settings()


@pytest.mark.parametrize(
    "name", ["DESK_DATA_KEY", "DESK_RASA_SECRET", "DESK_PAYMENTS_KEY", "DESK_METRICS_KEY", "DESK_VOUCH_KEY"]
)
@pytest.mark.parametrize(
    "placeholder",
    ["x" * 40, "changeme" * 5, base64.b64encode(bytes(32)).decode(), base64.b64encode(bytes(range(1, 33))).decode()],
    ids=["one letter", "a word", "zeros", "counted up"],
)
def test_production_refuses_what_looks_like_a_placeholder(
    given: pytest.MonkeyPatch, name: str, placeholder: str
) -> None:
    given.setenv("DESK_EMBED_ORIGINS", "https://www.bank.example")
    given.setenv(name, placeholder)
    load_settings()  # in demo mode nobody is harmed
    set_all(given, PRODUCTION | {name: placeholder})
    with pytest.raises(SettingsError, match=f"{name}: looks like a placeholder") as refused:
        load_settings()
    assert placeholder not in str(refused.value)


@pytest.mark.parametrize(("one", "other"), [("DESK_LOOKUP_KEY", "DESK_DATA_KEY"), ("DESK_BACKUP_KEY", "DESK_DATA_KEY")])
def test_production_refuses_one_secret_in_two_places(given: pytest.MonkeyPatch, one: str, other: str) -> None:
    set_all(given, PRODUCTION | {one: PRODUCTION[other]})
    with pytest.raises(SettingsError, match="must differ from each other") as refused:
        load_settings()
    assert one in str(refused.value)
    assert other in str(refused.value)
