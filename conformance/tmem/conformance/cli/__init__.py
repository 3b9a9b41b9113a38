"""The `tmem` command: what people type, and what they see while it runs.

May import everything else of `conformance`; nothing imports it.
"""
