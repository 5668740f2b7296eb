"""All tables. Importing this package registers every one of them with ``Base.metadata``."""

from bot.store.base import Base
from bot.store.tables.accounts import Borrower, Contract, Creditor, Debt, LedgerEntry, Product
from bot.store.tables.conversations import Button, Conversation, Message, Outbox
from bot.store.tables.desk import AuditEntry, Operator, OperatorSession
from bot.store.tables.documents import Document, MessageDocument
from bot.store.tables.identity import ChannelBinding, VerificationAttempt, VerificationChallenge, WebSession
from bot.store.tables.outreach import Hold, Reminder
from bot.store.tables.workout import Agreement, Instalment, Negotiation, Offer

__all__ = [
    "Agreement",
    "AuditEntry",
    "Base",
    "Borrower",
    "Button",
    "ChannelBinding",
    "Contract",
    "Conversation",
    "Creditor",
    "Debt",
    "Document",
    "Hold",
    "Instalment",
    "LedgerEntry",
    "Message",
    "MessageDocument",
    "Negotiation",
    "Offer",
    "Operator",
    "OperatorSession",
    "Outbox",
    "Product",
    "Reminder",
    "VerificationAttempt",
    "VerificationChallenge",
    "WebSession",
]
