"""Backends in a shared library: the C interface, its header, and the backend that stands before a library.

`interface` is the table of its functions, `header` prints `tmem.h`, `library` loads a library, `store` is the
backend, and `new_backend` writes a store to begin with, from `starters/`. May import `spec` alone;
`targets` and `schedules` both load libraries by it.
"""
