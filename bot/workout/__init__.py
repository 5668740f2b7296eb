"""What a borrower can be offered and why: affordability, approved policy, offers, counter-offers, agreement text.

Pure: no database, no clock, no network. From ``bot.lending`` it uses only values and arithmetic: money, balances,
product kinds, delinquency buckets, limitation status and schedules.
"""
