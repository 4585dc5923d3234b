"""Dispatchers that do it wrongly, to show that the tests would notice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.webhooks.dispatcher import Dispatcher
from service.webhooks.errands import Errand, Trip
from service.webhooks.ledger import Leased


class Hasty(Dispatcher):
    """Moves on before it knows whether anything arrived."""

    def send(self, held: Leased, trip: Trip, errands: Sequence[Errand], reached: int) -> None:
        """Move on, then send."""
        self.ledger.move(held, reached, 0, 0)
        trip.run(errands, self.side_by_side)


class Scattering(Dispatcher):
    """Sends a plan's entries side by side."""

    def grouped(self, held: Leased, rows: Sequence[Any]) -> list[Errand]:
        """Each entry an errand of its own."""
        return [errand for row in rows for errand in super(Scattering, self).grouped(held, [row])]
