"""Backends in a shared library: the C interface, its header, and the backend that stands before a library.

May import `spec` alone. `targets` and `schedules` both load libraries by it.
"""
