"""Builds the documentation: pages made from the project's own data, and Sphinx over all of them.

`python -m tools.site` writes the pages to `build/site`; `make docs` runs Sphinx on them.
"""
