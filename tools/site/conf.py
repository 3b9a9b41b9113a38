"""How Sphinx shows the pages of `build/site`."""

from __future__ import annotations

project = "tmem"
author = "the authors of tmem"
copyright = "the authors of tmem"
suppress_warnings = ["misc.highlighting_failure"]  # the README has a diagram for GitHub
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_design"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "tmem"
html_static_path = ["static"]
html_css_files = ["slot.css"]
html_show_sphinx = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
default_role = "code"
exclude_patterns = ["results"]
nitpicky = False
