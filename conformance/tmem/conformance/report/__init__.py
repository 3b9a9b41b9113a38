"""What a run found, for people and machines: the summary, the verdict, the terminal, JSON, JUnit, HTML.

May import `coverage`, `events` and the specification: it reads events, and knows nothing of engines.
"""
