"""Trips that came as Amazon's orders: whose they were, and what was taken where nobody priced it in time."""

import sqlalchemy as sa
from alembic import op

from ledger.migrations.versions import v0003_late_card_data

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the shopper to the settlements, and the table of orders without a price."""
    op.add_column("settlements", sa.Column("shopper_id", sa.String(255)))
    op.create_index("settlements_shopper", "settlements", ["shopper_id"])
    v0003_late_card_data.upgrade()  # its triggers name each column that can't be changed
    op.create_table(
        "unpriced_orders",
        sa.Column("shopping_trip_id", sa.String(255), sa.ForeignKey("settlements.shopping_trip_id"), primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
        comment="What was taken on the trips whose order nobody priced in time, as Amazon said it",
    )
