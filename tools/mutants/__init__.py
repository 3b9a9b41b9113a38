"""Mutation testing of the project's own packages.

Does `tmem check` notice bugs in `impl`, and do the checks of the judge notice bugs in `model`?

`python -m tools.mutants` makes the mutants, runs them, and writes docs/mutants.md and
docs/results/mutants.json.
"""
