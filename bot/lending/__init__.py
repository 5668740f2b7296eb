"""What is owed and why: money, ledger, accrual, fees, allocation, statement and its explanation, quotes, schedules.

Pure: no database, no clock, no network. Money is integer fen, rates are ``Decimal`` per year, days are ``date`` in the
lender's calendar (Asia/Shanghai). The rules are written down in docs/lending.md.
"""
