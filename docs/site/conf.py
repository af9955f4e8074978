"""Sphinx settings of the site, which `make docs` builds from what scripts/site_pages.py collects."""

import re
import tomllib
from pathlib import Path

from docutils.nodes import SkipNode, math, math_block
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

project = "Acceleray"
author = "The Acceleray authors"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
extensions = ["myst_parser", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence", "dollarmath", "fieldlist"]
myst_heading_anchors = 4
# Types in signatures are linked where their name is unambiguous; two modules may each have a Calibration.
suppress_warnings = ["ref.python"]
html_theme = "furo"
html_title = f"Acceleray {release}"
html_static_path = [str(HERE / "_static")]
html_css_files = ["site.css"]
html_extra_path = [str(ROOT / "build/docs/extra")]
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
# What is copied is the command, without the prompt and without its output.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
python_display_short_literal_types = True
# Formulas are MathML, which browsers and screen readers know: no script from elsewhere, so they work offline.
html_math_renderer = "mathml"


def setup(app: Sphinx) -> None:
    """Make the renderer of formulas known."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))


def _inline(translator: HTML5Translator, node: math) -> None:
    translator.body.append(convert(_named(node.astext())))
    raise SkipNode


def _named(formula: str) -> str:
    """Return a formula whose functions are set upright, as names and not as products of letters."""
    return re.sub(r"(?<![\\\w])(ln|exp|sqrt|max|min|abs|rank)(?![\w])", r"\\operatorname{\1}", formula)


def _block(translator: HTML5Translator, node: math_block) -> None:
    translator.body.append(convert(_named(node.astext()), display="block"))
    raise SkipNode
