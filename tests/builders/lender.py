"""Builders for the lender's core system: products, accounts as they are sent, and clients with keys. All invented."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from bot.services import account_intake, api_clients
from bot.services.api_clients import Scope
from bot.services.deps import Deps

PRODUCTS = """
creditors:
  - name: 示例银行
    kind: bank
    complaint_phone: 400-000-0001
    payment_channel: 示例银行 App
    products:
      - name: 示例消费贷
        kind: consumer_loan
        policy_code: consumer_loan_relief
"""
_numbers = count(1)


def some_products(deps: Deps, folder: Path) -> None:
    """Let the desk know a creditor and a product."""
    file = folder / "products.yml"
    file.write_text(PRODUCTS, "utf-8")
    assert account_intake.import_products(deps, file) == (1, 1)


def an_account(**changes: str) -> dict[str, str]:
    """Return an account as the core system sends it, of somebody new."""
    number = next(_numbers)
    return {
        "contract_number": f"HT-{number:05d}",
        "reference": f"{number:04d}",
        "name": "张三演示",
        "phone": f"1380001{number:04d}",
        "id_number": f"11010119900101{number:04d}"[:18],
        "creditor": "示例银行",
        "product": "示例消费贷",
        "lent_on": "2025-06-01",
        "due_on": "2026-06-01",
        "principal_yuan": "12000.50",
        "annual_rate": "0.144",
        "penalty_annual_rate": "0.072",
        **changes,
    }


def a_key(deps: Deps, *scopes: Scope, name: str = "") -> str:
    """Let a system in and return its key."""
    name = name or f"core-{next(_numbers)}"
    assert api_clients.create(deps, name, scopes) is None
    key = api_clients.issue_key(deps, name)
    assert not isinstance(key, api_clients.ClientRefusal)
    return key
