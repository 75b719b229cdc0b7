"""The ledger's tables. Money is in minor units of its currency, times are in UTC."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


class Utc(TypeDecorator[datetime]):
    """A time with its zone outside, without one in the database: SQLite has none, and all of ours are UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002, D102
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002, D102
        return value.replace(tzinfo=UTC) if value else None


settlements = Table(
    "settlements",
    metadata,
    Column("shopping_trip_id", String(255), primary_key=True),
    Column("store_id", String(255), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("code", String(3), nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("bad_debt", BigInteger, nullable=False),
    Column("delegated", BigInteger, nullable=False),
    Column("strategy", String(32)),
    Column("decided_by", Text),
    Column("adjusts", Integer, nullable=False),
    Column("declines", Integer, nullable=False),
    Column("reconciliation_id", String(255)),
    Column("card_statement_transaction_id", String(255)),
    Column("authorization_response_code", String(255)),
    Column("brand", String(255)),
    Column("last_four", String(4)),
    Column("pos_entry_mode", String(255)),
    Column("terminal_id", String(255)),
    Column("order_id", String(255)),
    Column("trip_started_at", Utc, nullable=False),
    Column("settled_at", Utc, nullable=False),
    Column("document", JSON, nullable=False),
    Column("shopper_id", String(255)),
    Index("settlements_shopper", "shopper_id"),
    CheckConstraint("total = captured + bad_debt + delegated", name="settlements_add_up"),
    comment="What became of each trip: a second start's answer, what finance reads of each; append only",
)

entries = Table(
    "entries",
    metadata,
    Column("key", String(600), primary_key=True),
    Column("shopping_trip_id", String(255), ForeignKey("settlements.shopping_trip_id"), nullable=False),
    Column("movement", String(32), nullable=False),
    Column("workflow_id", String(600), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("code", String(3), nullable=False),
    Column("at", Utc, nullable=False),
    Column("reference", String(255)),
    Column("reconciliation_id", String(255)),
    Index("entries_at", "at"),
    Index("entries_trip", "shopping_trip_id"),
    comment="The journal: one entry a movement of money, its key made from the trip and the movement; append only",
)

lines = Table(
    "lines",
    metadata,
    Column("entry_key", String(600), ForeignKey("entries.key"), primary_key=True),
    Column("account", String(32), primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("code", String(3), nullable=False),
    comment="An entry's two sides: above zero a debit, below a credit; they sum to zero per currency; append only",
)

receipts = Table(
    "receipts",
    metadata,
    Column("key", String(600), primary_key=True),
    Column("shopping_trip_id", String(255), nullable=False),
    Column("issued_at", Utc, nullable=False),
    Column("document", JSON, nullable=False),
    Index("receipts_trip", "shopping_trip_id"),
    Index("receipts_issued", "issued_at"),
    comment="Receipts of sales and refunds, kept at least 120 days (docs/payments.md, Receipts)",
)

intents = Table(
    "intents",
    metadata,
    Column("shopping_trip_id", String(255), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("code", String(3), nullable=False),
    Column("run_id", String(255), nullable=False),
    Column("at", Utc, nullable=False),
    Column("document", JSON, nullable=False),
    comment="What each unsettled trip is about to do and can't undo: whoever runs it again goes on with it",
)

unpriced_orders = Table(
    "unpriced_orders",
    metadata,
    Column("shopping_trip_id", String(255), ForeignKey("settlements.shopping_trip_id"), primary_key=True),
    Column("document", JSON, nullable=False),
    comment="What was taken on the trips whose order nobody priced in time, as Amazon said it",
)

refunds = Table(
    "refunds",
    metadata,
    Column("refund_request_id", String(36), primary_key=True),
    Column("shopping_trip_id", String(255), ForeignKey("settlements.shopping_trip_id"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("code", String(3), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("run_id", String(255)),
    Index("refunds_trip", "shopping_trip_id"),
    comment="What is asked to be given back: reserved before the service is called, so that two at once can't overdraw",
)
