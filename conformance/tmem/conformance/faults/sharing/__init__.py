"""Faults of shared pools: who joins which pool, what stays when one leaves, and what sharers see."""

from tmem.conformance.faults.sharing import joining, leaving, pages  # noqa: F401  # importing registers them
