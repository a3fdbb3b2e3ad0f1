"""Sphinx settings; the page of tables is made from the vocabulary at each build."""

from __future__ import annotations

from pathlib import Path

from placeforecast import __version__
from placeforecast.tables.dictionary import data_dictionary

project = "placeforecast"
author = "The placeforecast developers"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 2
html_theme = "pydata_sphinx_theme"
html_title = "placeforecast"
exclude_patterns = ["_build"]
numpydoc_show_class_members = False
autodoc_typehints = "none"

(Path(__file__).parent / "tables.md").write_text(data_dictionary(), encoding="utf-8")
