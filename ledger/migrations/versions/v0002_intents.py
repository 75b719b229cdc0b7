"""What a run is about to do and can't undo: a trip's intents, and which run asked the service for a refund."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of intents, and the column of refunds."""
    op.create_table(
        "intents",
        sa.Column("shopping_trip_id", sa.String(255), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(3), nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        comment=("What each unsettled trip is about to do and can't undo: whoever runs it again goes on with it"),
    )
    op.add_column("refunds", sa.Column("run_id", sa.String(255)))
