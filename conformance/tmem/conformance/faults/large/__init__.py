"""Faults that only size, repetition, number or a full store shows."""

from tmem.conformance.faults.large import counts, fullness, leaks, many_clients, tables  # noqa: F401

__all__: list[str] = []
