"""Finds a failing schedule of a program, and makes program and schedule smaller.

May import `runtime`, `programs` and `history`.
"""
