"""All tables. Importing this package registers every one of them with ``Base.metadata``."""

from bot.store.base import Base
from bot.store.tables.accounts import (
    Borrower,
    Contract,
    ContractRate,
    Creditor,
    Debt,
    LedgerEntry,
    MinimumPayment,
    Product,
)
from bot.store.tables.approvals import Approval, ApprovalNote
from bot.store.tables.call_backs import CallBack
from bot.store.tables.care import Circumstance, EvidenceConsent
from bot.store.tables.cases import CaseFile, CaseNote
from bot.store.tables.conversations import Button, Conversation, Message, Outbox
from bot.store.tables.desk import AuditCheckpoint, AuditEntry, AuditLink, Operator, OperatorLogin, OperatorSession
from bot.store.tables.documents import Document, MessageDocument
from bot.store.tables.identity import (
    ChannelBinding,
    ChannelLink,
    CodeLetter,
    SenderCheck,
    SenderCode,
    VerificationAttempt,
    VerificationChallenge,
    VouchedVisit,
    WebSession,
)
from bot.store.tables.offer_basis import OfferBasis
from bot.store.tables.operations import (
    ApiClient,
    ApiKey,
    ApiRequest,
    LenderEvent,
    LenderEventMark,
    RuleArchive,
    Webhook,
    WebhookDelivery,
)
from bot.store.tables.outreach import ContactWish, Heartbeat, Hold, Reminder
from bot.store.tables.review import (
    FULL_TEXT_TABLES,
    NluTurn,
    QualityReview,
    Satisfaction,
    SearchEntry,
    TalkCheck,
    TalkFinding,
)
from bot.store.tables.servicing import Payment, PaymentImport, PaymentTrace, PaymentUpload, PlanEvent, QuotedPayoff
from bot.store.tables.workout import Agreement, Instalment, Negotiation, Offer, Promise

__all__ = [
    "FULL_TEXT_TABLES",
    "Agreement",
    "ApiClient",
    "ApiKey",
    "ApiRequest",
    "Approval",
    "ApprovalNote",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditLink",
    "Base",
    "Borrower",
    "Button",
    "CallBack",
    "CaseFile",
    "CaseNote",
    "ChannelBinding",
    "ChannelLink",
    "Circumstance",
    "CodeLetter",
    "ContactWish",
    "Contract",
    "ContractRate",
    "Conversation",
    "Creditor",
    "Debt",
    "Document",
    "EvidenceConsent",
    "Heartbeat",
    "Hold",
    "Instalment",
    "LedgerEntry",
    "LenderEvent",
    "LenderEventMark",
    "Message",
    "MessageDocument",
    "MinimumPayment",
    "Negotiation",
    "NluTurn",
    "Offer",
    "OfferBasis",
    "Operator",
    "OperatorLogin",
    "OperatorSession",
    "Outbox",
    "Payment",
    "PaymentImport",
    "PaymentTrace",
    "PaymentUpload",
    "PlanEvent",
    "Product",
    "Promise",
    "QualityReview",
    "QuotedPayoff",
    "Reminder",
    "RuleArchive",
    "Satisfaction",
    "SearchEntry",
    "SenderCheck",
    "SenderCode",
    "TalkCheck",
    "TalkFinding",
    "VerificationAttempt",
    "VerificationChallenge",
    "VouchedVisit",
    "WebSession",
    "Webhook",
    "WebhookDelivery",
]
