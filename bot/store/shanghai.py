"""Instants as days and hours of Asia/Shanghai, which both databases can be asked for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from bot.store.base import UtcDateTime


class ShanghaiDay(FunctionElement[date]):
    """The day on which an instant falls."""

    type = Date()
    inherit_cache = True


class ShanghaiHour(FunctionElement[int]):
    """The hour in which an instant falls, 0 to 23."""

    type = Integer()
    inherit_cache = True


class AWeekAfter(FunctionElement[datetime]):
    """The instant seven days later."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(ShanghaiDay)
def _day(element: ShanghaiDay, compiler: SQLCompiler, **how: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **how)} AT TIME ZONE 'Asia/Shanghai' AS DATE)"


@compiles(ShanghaiDay, "sqlite")
def _day_on_sqlite(element: ShanghaiDay, compiler: SQLCompiler, **how: Any) -> str:
    return f"date({compiler.process(element.clauses, **how)}, '+8 hours')"


@compiles(ShanghaiHour)
def _hour(element: ShanghaiHour, compiler: SQLCompiler, **how: Any) -> str:
    at = f"{compiler.process(element.clauses, **how)} AT TIME ZONE 'Asia/Shanghai'"
    return f"CAST(extract(hour FROM {at}) AS INTEGER)"


@compiles(ShanghaiHour, "sqlite")
def _hour_on_sqlite(element: ShanghaiHour, compiler: SQLCompiler, **how: Any) -> str:
    return f"CAST(strftime('%H', {compiler.process(element.clauses, **how)}, '+8 hours') AS INTEGER)"


@compiles(AWeekAfter)
def _a_week_after(element: AWeekAfter, compiler: SQLCompiler, **how: Any) -> str:
    return f"({compiler.process(element.clauses, **how)} + INTERVAL '7 days')"


@compiles(AWeekAfter, "sqlite")
def _a_week_after_on_sqlite(element: AWeekAfter, compiler: SQLCompiler, **how: Any) -> str:
    # Written as instants are stored, to the millisecond, so that the two compare as texts.
    return f"strftime('%Y-%m-%d %H:%M:%f000', {compiler.process(element.clauses, **how)}, '+7 days')"
