"""The first schema: accounts, identity, conversations, work-out plans, outreach, the desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor_id", sa.String(length=32), nullable=True),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_event", "audit_entry", ["event"], unique=False)
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject_kind", "subject_id"], unique=False)
    op.create_table(
        "borrower",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name_sealed", sa.Text(), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("phone_sealed", sa.Text(), nullable=False),
        sa.Column("phone_hash", sa.String(length=64), nullable=False),
        sa.Column("id_number_sealed", sa.Text(), nullable=False),
        sa.Column("id_number_hash", sa.String(length=64), nullable=False),
        sa.Column("id_tail_hash", sa.String(length=64), nullable=False),
        sa.Column("deceased", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_borrower"),
        sa.UniqueConstraint("id_number_hash", name="uq_borrower_id_number_hash"),
        sa.UniqueConstraint("phone_hash", name="uq_borrower_phone_hash"),
    )
    op.create_index("ix_borrower_name_hash", "borrower", ["name_hash"], unique=False)
    op.create_table(
        "creditor",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("complaint_phone", sa.String(length=30), nullable=False),
        sa.Column("payment_channel", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_creditor"),
        sa.UniqueConstraint("name", name="uq_creditor_name"),
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("login", sa.String(length=40), nullable=False),
        sa.Column("display_name", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operator"),
        sa.UniqueConstraint("login", name="uq_operator_login"),
    )
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("address_sealed", sa.Text(), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(length=10), nullable=False),
        sa.Column("owner_operator_id", sa.String(length=32), nullable=True),
        sa.Column("queue_reason", sa.String(length=30), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("script", sa.String(length=4), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("last_seen_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_inbound_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_conversation_borrower_id_borrower"),
        sa.ForeignKeyConstraint(
            ["owner_operator_id"], ["operator.id"], name="fk_conversation_owner_operator_id_operator"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
        sa.UniqueConstraint("channel", "address_hash", name="uq_conversation_channel_address_hash"),
    )
    op.create_index("ix_conversation_borrower_id", "conversation", ["borrower_id"], unique=False)
    op.create_index("ix_conversation_owner_activity", "conversation", ["owner", "last_activity_at"], unique=False)
    op.create_table(
        "negotiation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("active_key", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("debt_ids", sa.JSON(), nullable=False),
        sa.Column("policy_code", sa.String(length=60), nullable=False),
        sa.Column("policy_version", sa.String(length=30), nullable=False),
        sa.Column("monthly_income_fen", sa.BigInteger(), nullable=True),
        sa.Column("monthly_essential_fen", sa.BigInteger(), nullable=True),
        sa.Column("chosen_offer_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_negotiation_borrower_id_borrower"),
        sa.PrimaryKeyConstraint("id", name="pk_negotiation"),
        sa.UniqueConstraint("active_key", name="uq_negotiation_active_key"),
    )
    op.create_index("ix_negotiation_borrower_id", "negotiation", ["borrower_id"], unique=False)
    op.create_table(
        "operator_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("operator_id", sa.String(length=32), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_operator_session_operator_id_operator"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_operator_session"),
    )
    op.create_index("ix_operator_session_operator_id", "operator_session", ["operator_id"], unique=False)
    op.create_table(
        "product",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("creditor_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("policy_code", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name="fk_product_creditor_id_creditor"),
        sa.PrimaryKeyConstraint("id", name="pk_product"),
    )
    op.create_table(
        "channel_binding",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_reason", sa.String(length=30), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_channel_binding_borrower_id_borrower"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_channel_binding_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_channel_binding"),
    )
    op.create_index("ix_channel_binding_borrower_id", "channel_binding", ["borrower_id"], unique=False)
    op.create_index("ix_channel_binding_conversation_id", "channel_binding", ["conversation_id"], unique=False)
    op.create_table(
        "contract",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("product_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("annual_rate", sa.String(length=20), nullable=False),
        sa.Column("penalty_annual_rate", sa.String(length=20), nullable=False),
        sa.Column("day_count", sa.Integer(), nullable=False),
        sa.Column("allocation", sa.String(length=80), nullable=False),
        sa.Column("allocation_after_90_days", sa.String(length=80), nullable=True),
        sa.Column("late_fee_rate", sa.String(length=20), nullable=False),
        sa.Column("late_fee_minimum_fen", sa.BigInteger(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_contract_borrower_id_borrower"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_contract_product_id_product"),
        sa.PrimaryKeyConstraint("id", name="pk_contract"),
        sa.UniqueConstraint("number", name="uq_contract_number"),
    )
    op.create_index("ix_contract_borrower_id", "contract", ["borrower_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("client_key", sa.String(length=80), nullable=True),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("handling", sa.String(length=10), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("in_reply_to", sa.String(length=32), nullable=True),
        sa.Column("operator_id", sa.String(length=32), nullable=True),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("intent", sa.String(length=60), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("understanding", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_message_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_message_operator_id_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("conversation_id", "client_key", name="uq_message_conversation_id_client_key"),
        sa.UniqueConstraint("conversation_id", "seq", name="uq_message_conversation_id_seq"),
    )
    op.create_index("ix_message_created", "message", ["created_at"], unique=False)
    op.create_index("ix_message_handling", "message", ["handling", "created_at"], unique=False)
    op.create_table(
        "offer",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("negotiation_id", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("readback_text", sa.Text(), nullable=True),
        sa.Column("readback_hash", sa.String(length=64), nullable=True),
        sa.Column("readback_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiation.id"], name="fk_offer_negotiation_id_negotiation"),
        sa.PrimaryKeyConstraint("id", name="pk_offer"),
        sa.UniqueConstraint("negotiation_id", "content_hash", name="uq_offer_negotiation_id_content_hash"),
    )
    op.create_index("ix_offer_negotiation_id", "offer", ["negotiation_id"], unique=False)
    op.create_table(
        "verification_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("factor", sa.String(length=12), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_verification_attempt_borrower_id_borrower"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_verification_attempt_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_verification_attempt"),
    )
    op.create_index("ix_verification_attempt_borrower", "verification_attempt", ["borrower_id", "at"], unique=False)
    op.create_index(
        "ix_verification_attempt_conversation", "verification_attempt", ["conversation_id", "at"], unique=False
    )
    op.create_table(
        "verification_challenge",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_passed", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["borrower_id"], ["borrower.id"], name="fk_verification_challenge_borrower_id_borrower"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_verification_challenge_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_verification_challenge"),
    )
    op.create_index(
        "ix_verification_challenge_conversation_id", "verification_challenge", ["conversation_id"], unique=False
    )
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_web_session_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_web_session"),
    )
    op.create_index("ix_web_session_conversation_id", "web_session", ["conversation_id"], unique=False)
    op.create_table(
        "agreement",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("negotiation_id", sa.String(length=32), nullable=False),
        sa.Column("offer_id", sa.String(length=32), nullable=False),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("debt_ids", sa.JSON(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("accepted_conversation_id", sa.String(length=32), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["accepted_conversation_id"], ["conversation.id"], name="fk_agreement_accepted_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_agreement_borrower_id_borrower"),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiation.id"], name="fk_agreement_negotiation_id_negotiation"),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_agreement_offer_id_offer"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement"),
        sa.UniqueConstraint("idempotency_key", name="uq_agreement_idempotency_key"),
        sa.UniqueConstraint("negotiation_id", name="uq_agreement_negotiation_id"),
        sa.UniqueConstraint("number", "version", name="uq_agreement_number_version"),
    )
    op.create_index("ix_agreement_borrower_id", "agreement", ["borrower_id"], unique=False)
    op.create_table(
        "button",
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_button_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_button_message_id_message"),
        sa.PrimaryKeyConstraint("token", name="pk_button"),
    )
    op.create_index("ix_button_conversation_id", "button", ["conversation_id"], unique=False)
    op.create_index("ix_button_message_id", "button", ["message_id"], unique=False)
    op.create_table(
        "debt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("contract_id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("last_demand_on", sa.Date(), nullable=True),
        sa.Column("limitation_known", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_debt_borrower_id_borrower"),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name="fk_debt_contract_id_contract"),
        sa.PrimaryKeyConstraint("id", name="pk_debt"),
    )
    op.create_index("ix_debt_borrower_id", "debt", ["borrower_id"], unique=False)
    op.create_index("ix_debt_contract_id", "debt", ["contract_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channel_message_id", sa.String(length=40), nullable=True),
        sa.Column("last_error", sa.String(length=120), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_outbox_message_id_message"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "next_attempt_at"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=True),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("debt_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_hold_borrower_id_borrower"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_hold_conversation_id_conversation"),
        sa.ForeignKeyConstraint(["debt_id"], ["debt.id"], name="fk_hold_debt_id_debt"),
        sa.ForeignKeyConstraint(["lifted_by"], ["operator.id"], name="fk_hold_lifted_by_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
    )
    op.create_index("ix_hold_borrower_open", "hold", ["borrower_id", "lifted_at"], unique=False)
    op.create_index("ix_hold_conversation_id", "hold", ["conversation_id"], unique=False)
    op.create_table(
        "instalment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agreement_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name="fk_instalment_agreement_id_agreement"),
        sa.PrimaryKeyConstraint("id", name="pk_instalment"),
        sa.UniqueConstraint("agreement_id", "number", name="uq_instalment_agreement_id_number"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("debt_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("component", sa.String(length=20), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("reverses", sa.String(length=120), nullable=True),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name="ck_ledger_entry_amount_positive"),
        sa.ForeignKeyConstraint(["debt_id"], ["debt.id"], name="fk_ledger_entry_debt_id_debt"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entry"),
        sa.UniqueConstraint("debt_id", "key", name="uq_ledger_entry_debt_id_key"),
    )
    op.create_index("ix_ledger_entry_debt_effective", "ledger_entry", ["debt_id", "effective_on"], unique=False)
    op.create_table(
        "reminder",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("borrower_id", sa.String(length=32), nullable=False),
        sa.Column("instalment_id", sa.String(length=32), nullable=True),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("rule", sa.String(length=30), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["borrower_id"], ["borrower.id"], name="fk_reminder_borrower_id_borrower"),
        sa.ForeignKeyConstraint(["instalment_id"], ["instalment.id"], name="fk_reminder_instalment_id_instalment"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_reminder_message_id_message"),
        sa.PrimaryKeyConstraint("id", name="pk_reminder"),
        sa.UniqueConstraint("key", name="uq_reminder_key"),
    )
    op.create_index("ix_reminder_borrower_id", "reminder", ["borrower_id"], unique=False)
    op.create_index("ix_reminder_due", "reminder", ["state", "send_at"], unique=False)
    op.create_index("ix_reminder_instalment_id", "reminder", ["instalment_id"], unique=False)


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
