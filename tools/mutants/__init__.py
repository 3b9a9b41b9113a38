"""Mutants of the project's own packages, made by machine.

Does `tmem check` notice what is wrong in `impl`, and do the judge's checks notice what is wrong in `model`?

`python -m tools.mutants` makes them, runs them and writes docs/mutants.md and docs/results/mutants.json.
"""
