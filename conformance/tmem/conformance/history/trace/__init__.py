"""Histories as files: one line of JSON for each call. The recorder writes them; they are read as a stream.

May import all of `history`; `tmem check-trace` is in `cli`.
"""
