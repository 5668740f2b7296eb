"""Keep which budget an offer was made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022_budget_offer"
down_revision = "0022_budget"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. A table in use is changed by itself: nobody who waits for it is waited for."""
    op.add_column("offer", sa.Column("budget", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Refuse: restore a backup instead."""
    raise NotImplementedError("migrations only go forward")
