"""The figures to reach: what is measured, what at least, what is aimed for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One figure to reach. ``unit`` is written behind it; ``least`` of None means: no goal was set."""

    key: str
    what: str
    unit: str
    least: float | None
    aim: float | None = None
    lower: bool = False

    def reached(self, value: float) -> str:
        """Where ``value`` stands."""
        if self.least is None:
            return "–"
        sign = -1 if self.lower else 1
        if self.aim is not None and sign * value >= sign * self.aim:
            return "aim reached"
        return "reached" if sign * value >= sign * self.least else "MISSED"

    def shown(self, value: float | None) -> str:
        """A value with its unit, or a dash."""
        if value is None:
            return "–"
        return f"{value:.2f} {self.unit}" if value < 100 else f"{value:,.0f} {self.unit}"


NO_OP = "× no-op"
STOCK = "× stock"
TARGETS = {
    target.key: target
    for target in (
        Target("unlogged", "current plan, with authentication (no such read: all are logged)", NO_OP, 0.48, 0.58),
        Target("current", "– and with the access log committed before the answer", NO_OP, 0.30, 0.45),
        Target("timeline", "timeline page of 100", NO_OP, 0.35, 0.50),
        Target("as-of", "as-of in a 200-entry plan", NO_OP, 0.25, 0.40),
        Target("as-of-amended", "– with late entries and corrections", NO_OP, None),
        Target("as-of-10000", "as-of in a 10,000-entry plan, p99, one caller", "ms", 60, 20, lower=True),
        Target("diff", "diff of two moments, 200 entries", NO_OP, 0.15, 0.30),
        Target("worklist", "worklist page", NO_OP, 0.50, 0.60),
        Target("measures", "measures of a 200-entry plan", NO_OP, None),
        Target("feed", "feed, a batch of 100 entries", NO_OP, None),
        Target("fhir-plan", "FHIR: CarePlan of a 200-entry plan, now", NO_OP, None),
        Target("fhir-version", "FHIR: that CarePlan at version 100", NO_OP, None),
        Target("fhir-search", "FHIR: search for one Goal by id", NO_OP, None),
        Target("proof", "proof of an entry, by the newest checkpoint", NO_OP, None),
        Target("open-plan", "open plan, all in one clinic", NO_OP, 0.25, 0.35),
        Target("open-plan-many", "– over 16 clinics", NO_OP, 0.25, 0.35),
        Target("add-one", "add one entry (If-Match, idempotency key, durable), all in one clinic", NO_OP, 0.25, 0.30),
        Target("add-one-many", "– over 16 clinics", NO_OP, 0.25, 0.30),
        Target("add-twenty", "add 20 entries in one request, entries per second", "× single", 10, 14),
        Target("store-many", "store alone, 32 writers over 64 clinics", STOCK, 3.5, 5),
        Target("store-one", "store alone, one clinic, one writer", STOCK, 2.5, 3.5),
        Target("catch-up", "projection catch-up, every projection together", "× library", 15, 30),
        Target("rebuild", "projection rebuild, the slowest projection", "× library", 15, 30),
        Target("visible", "append to visible in every read model at 200 entries/s, p99", "ms", 300, 100, lower=True),
        Target("sealed", "append to sealed at 200 entries/s, p99", "ms", 1000, lower=True),
        Target("append-beside", "add one entry, beside a sealer at work", "× without", None),
        Target("stream-soon", "append to arrival over a stream at 200 entries/s, p99", "ms", None, lower=True),
        Target("webhook-soon", "append to arrival by webhook at 200 entries/s, p99", "ms", None, lower=True),
        Target("beside-streams", "current plan while every place of the feed is taken, p99", "ms", None, lower=True),
        Target("storage", "storage per entry, all tables and indexes", "kB", 1.2, 0.8, lower=True),
        Target("memory-web", "memory of an API worker under load", "MB", 120, lower=True),
        Target("memory-projector", "memory of the projector under load", "MB", 150, lower=True),
        Target("start", "start of `serve` (warm) to ready", "s", 3, 1.5, lower=True),
    )
}  # fmt: skip
