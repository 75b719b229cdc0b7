"""A card's data may come after its trip was posted: it can be filled in once, and nothing else can be changed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

FILLED_IN_ONCE = {
    "settlements": (
        "reconciliation_id",
        "card_statement_transaction_id",
        "authorization_response_code",
        "brand",
        "last_four",
        "pos_entry_mode",
        "terminal_id",
    ),
    "entries": ("reconciliation_id",),
}
DOCUMENT = "document"

REFUSE_ON_POSTGRESQL = """
CREATE OR REPLACE FUNCTION {table}_filled_in_once() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
IF {allowed} THEN RETURN NEW; END IF;
RAISE EXCEPTION 'append only: UPDATE of {table} is refused';
END $$
"""


def upgrade() -> None:
    """Put a trigger that lets the card's data in, once, in the place of the one that refuses every change."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, columns in FILLED_IN_ONCE.items():
        allowed = _allowed(table, columns, on_postgresql=on_postgresql)
        trigger = f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW"
        if on_postgresql:
            op.execute(f"DROP TRIGGER {table}_no_update ON {table}")
            op.execute(REFUSE_ON_POSTGRESQL.format(table=table, allowed=allowed))
            op.execute(f"{trigger} EXECUTE FUNCTION {table}_filled_in_once()")
        else:
            op.execute(f"DROP TRIGGER {table}_no_update")
            refusal = f"SELECT RAISE(ABORT, 'append only: UPDATE of {table} is refused')"
            op.execute(f"{trigger} WHEN NOT ({allowed}) BEGIN {refusal}; END")


def _allowed(table: str, columns: tuple[str, ...], *, on_postgresql: bool) -> str:
    """The condition of a change that only fills in what was empty."""
    is_ = "IS NOT DISTINCT FROM" if on_postgresql else "IS"
    names = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)]
    kept = [f"NEW.{name} {is_} OLD.{name}" for name in names if name not in (*columns, DOCUMENT)]
    empty = [f"OLD.{name} IS NULL" for name in columns]
    documents = []
    if DOCUMENT in names and on_postgresql:
        documents = ["NEW.document::jsonb - 'transaction' = OLD.document::jsonb"]
    elif DOCUMENT in names:
        documents = ["json_remove(NEW.document, '$.transaction') = json(OLD.document)"]
    return " AND ".join([*kept, *empty, *documents])
