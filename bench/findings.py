"""What stands in the way where a goal is not reached, by the goal's key; shown only while that is so."""

from __future__ import annotations

FINDINGS: dict[str, str] = {}
