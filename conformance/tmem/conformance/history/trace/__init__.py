"""Histories as files: one line of JSON for each call; written by the recorder, read as a stream.

May import all of `history`; `command` is `tmem check-trace`.
"""
