"""Finds a failing schedule of a program, and makes program and schedule smaller.

May import `native`, `runtime`, `threaded`, and the packages below `schedules`.
"""
