"""The ledger: settlements, the journal and its lines, receipts, refunds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("settlements", "entries", "lines")

REFUSE_ON_POSTGRESQL = """
CREATE FUNCTION books_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'append only: % of % is refused', TG_OP, TG_TABLE_NAME; END $$
"""


def upgrade() -> None:
    """Make the tables, and the triggers that refuse to change settlements and journal."""
    _make_settlements()
    _make_journal()
    _make_receipts_and_refunds()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFUSE_ON_POSTGRESQL)
    for table in APPEND_ONLY:
        for statement in ("UPDATE", "DELETE", "TRUNCATE"):
            _refuse(statement, table)


def _make_settlements() -> None:
    op.create_table(
        "settlements",
        sa.Column("shopping_trip_id", sa.String(255), primary_key=True),
        sa.Column("store_id", sa.String(255), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("code", sa.String(3), nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("captured", sa.BigInteger, nullable=False),
        sa.Column("bad_debt", sa.BigInteger, nullable=False),
        sa.Column("delegated", sa.BigInteger, nullable=False),
        sa.Column("strategy", sa.String(32)),
        sa.Column("decided_by", sa.Text),
        sa.Column("adjusts", sa.Integer, nullable=False),
        sa.Column("declines", sa.Integer, nullable=False),
        sa.Column("reconciliation_id", sa.String(255)),
        sa.Column("card_statement_transaction_id", sa.String(255)),
        sa.Column("authorization_response_code", sa.String(255)),
        sa.Column("brand", sa.String(255)),
        sa.Column("last_four", sa.String(4)),
        sa.Column("pos_entry_mode", sa.String(255)),
        sa.Column("terminal_id", sa.String(255)),
        sa.Column("order_id", sa.String(255)),
        sa.Column("trip_started_at", sa.DateTime, nullable=False),
        sa.Column("settled_at", sa.DateTime, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.CheckConstraint("total = captured + bad_debt + delegated", name="settlements_add_up"),
        comment="What became of each trip: a second start's answer, what finance reads of each; append only",
    )


def _make_journal() -> None:
    op.create_table(
        "entries",
        sa.Column("key", sa.String(600), primary_key=True),
        sa.Column("shopping_trip_id", sa.String(255), sa.ForeignKey("settlements.shopping_trip_id"), nullable=False),
        sa.Column("movement", sa.String(32), nullable=False),
        sa.Column("workflow_id", sa.String(600), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(3), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("reference", sa.String(255)),
        sa.Column("reconciliation_id", sa.String(255)),
        comment="The journal: one entry a movement of money, its key made from the trip and the movement; append only",
    )
    op.create_index("entries_at", "entries", ["at"])
    op.create_index("entries_trip", "entries", ["shopping_trip_id"])
    op.create_table(
        "lines",
        sa.Column("entry_key", sa.String(600), sa.ForeignKey("entries.key"), primary_key=True),
        sa.Column("account", sa.String(32), primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(3), nullable=False),
        comment="An entry's two sides: above zero a debit, below a credit; they sum to zero per currency; append only",
    )


def _make_receipts_and_refunds() -> None:
    op.create_table(
        "receipts",
        sa.Column("key", sa.String(600), primary_key=True),
        sa.Column("shopping_trip_id", sa.String(255), nullable=False),
        sa.Column("issued_at", sa.DateTime, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        comment="Receipts of sales and refunds, kept at least 120 days (docs/payments.md, Receipts)",
    )
    op.create_index("receipts_trip", "receipts", ["shopping_trip_id"])
    op.create_index("receipts_issued", "receipts", ["issued_at"])
    op.create_table(
        "refunds",
        sa.Column("refund_request_id", sa.String(36), primary_key=True),
        sa.Column("shopping_trip_id", sa.String(255), sa.ForeignKey("settlements.shopping_trip_id"), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(3), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at", sa.DateTime, nullable=False),
        comment=(
            "What is asked to be given back: reserved before the service is called, so that two at once can't overdraw"
        ),
    )
    op.create_index("refunds_trip", "refunds", ["shopping_trip_id"])


def _refuse(statement: str, table: str) -> None:
    """Let the database itself refuse to change what was written once."""
    trigger = f"CREATE TRIGGER {table}_no_{statement.lower()} BEFORE {statement} ON {table}"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"{trigger} FOR EACH STATEMENT EXECUTE FUNCTION books_append_only()")
    elif statement != "TRUNCATE":  # which SQLite does not have
        op.execute(f"{trigger} BEGIN SELECT RAISE(ABORT, 'append only: {statement} of {table} is refused'); END")
