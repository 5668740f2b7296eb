"""What is owed and why: money, ledger, allocation, accrual, delinquency, statement, limitation, schedule.

Pure: no database, no clock, no network. Money is integer fen, rates are ``Decimal`` per year, days are ``date`` in the
lender's calendar (Asia/Shanghai).
"""
