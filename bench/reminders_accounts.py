"""Accounts in bulk for ``bench/reminders.py``: made inside PostgreSQL, where a million of them take a minute."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Engine, text

from bot.services.deps import Deps

_SHARED = (
    "INSERT INTO creditor (id, name, kind, complaint_phone, payment_channel) "
    "VALUES ('c', '示例银行', 'bank', '95000', 'App')",
    "INSERT INTO product (id, creditor_id, name, kind, policy_code) "
    "VALUES ('p', 'c', '示例产品', 'consumer_loan', 'consumer_loan_relief')",
)

_BORROWERS = """
INSERT INTO borrower (id, name_sealed, name_hash, phone_sealed, phone_hash, id_number_sealed, id_number_hash,
    id_tail_hash, deceased, created_at, notices_due_at)
SELECT 'b' || n, :name, 'n' || n, '-', 'p' || n, '-', 'i' || n, 't' || n, false, :now, :now
FROM generate_series(1, :accounts) AS n
"""

_CONTRACTS = """
INSERT INTO contract (id, borrower_id, product_id, number, signed_on, annual_rate, penalty_annual_rate, day_count,
    allocation, late_fee_rate, late_fee_minimum_fen, grace_days)
SELECT 'k' || n, 'b' || n, 'p', 'N' || n, CAST(:today AS date) - 400, '0.12', '0.06', 360,
    'fee,interest,penalty,principal', '0', 0, 0
FROM generate_series(1, :accounts) AS n
"""

_DEBTS = """
INSERT INTO debt (id, contract_id, borrower_id, reference, due_on, limitation_known)
SELECT 'd' || n, 'k' || n, 'b' || n, 'R' || (n % 10000), CAST(:today AS date) - (n % 220 - 20)::int, n % 20 <> 0
FROM generate_series(1, :accounts) AS n
"""

_LEDGER = """
INSERT INTO ledger_entry (debt_id, key, kind, amount_fen, effective_on, booked_at, source, body_hash)
SELECT 'd' || n, 'lent', 'drawdown', 100000 + (CAST(n AS bigint) * 7919) % 3000000, CAST(:today AS date) - 400,
    CAST(:now AS timestamptz) - interval '400 days', 'bench', '-'
FROM generate_series(1, :accounts) AS n
"""

_CHATS = """
INSERT INTO conversation (id, channel, address_hash, address_sealed, borrower_id, owner, script, last_seq,
    last_seen_seq, created_at, last_activity_at, last_inbound_at)
SELECT 'v' || n, 'telegram', 'a' || n, '-', 'b' || n, 'bot', 'hans', 0, 0, CAST(:now AS timestamptz) - interval '99 d',
    CAST(:now AS timestamptz) - interval '20 d', CAST(:now AS timestamptz) - interval '20 d'
FROM generate_series(1, :accounts) AS n WHERE n % 5 <> 0
"""

_PLANS = (
    """
INSERT INTO negotiation (id, borrower_id, state, debt_ids, policy_code, policy_version, created_at, updated_at)
SELECT 'g' || n, 'b' || n, 'agreed', json_build_array('d' || n), 'consumer_loan_relief', '1', :now, :now
FROM generate_series(3, :accounts, 3) AS n
""",
    """
INSERT INTO offer (id, negotiation_id, round, position, content_hash, terms, expires_at)
SELECT 'o' || n, 'g' || n, 1, 1, 'h' || n, '{}', :now
FROM generate_series(3, :accounts, 3) AS n
""",
    """
INSERT INTO agreement (id, number, version, borrower_id, negotiation_id, offer_id, idempotency_key, text, text_hash,
    state, debt_ids, total_fen, accepted_at)
SELECT 'm' || n, 'XY' || n, 1, 'b' || n, 'g' || n, 'o' || n, 'i' || n, '', '', 'in_force',
    json_build_array('d' || n), 600000, CAST(:now AS timestamptz) - interval '10 d'
FROM generate_series(3, :accounts, 3) AS n
""",
    """
INSERT INTO instalment (id, agreement_id, number, due_on, amount_fen, paid_fen, state)
SELECT 'm' || n || '-' || part, 'm' || n, part, CAST(:today AS date) + (n % 28)::int + 30 * (part - 1), 100000, 0, 'due'
FROM generate_series(3, :accounts, 3) AS n, generate_series(1, 6) AS part
""",
    """
INSERT INTO hold (id, borrower_id, kind, placed_at)
SELECT 'h' || n, 'b' || n, 'plan', CAST(:now AS timestamptz) - interval '10 d'
FROM generate_series(3, :accounts, 3) AS n
""",
)

_TABLES = (
    "borrower contract debt ledger_entry conversation negotiation offer agreement instalment hold reminder message"
)


def fill(deps: Deps, engine: Engine, accounts: int, today: date, now: datetime) -> None:
    """Make so many borrowers with a debt each; two of three have no plan, four of five a chat. All is invented."""
    values = {"accounts": accounts, "today": today, "now": now, "name": deps.vault.seal("name", "演示")}
    with engine.begin() as connection:
        for statement in (*_SHARED, _BORROWERS, _CONTRACTS, _DEBTS, _LEDGER, _CHATS, *_PLANS):
            connection.execute(text(statement), values if ":" in statement else {})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in _TABLES.split():
            connection.execute(text(f"ANALYZE {table}"))
