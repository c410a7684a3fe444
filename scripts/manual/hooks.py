"""What mkdocs calls while it builds the site: generated parts, formulas, more pages."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.manual.formulas import with_formulas
from scripts.manual.links import OUTSIDE, linked
from scripts.manual.marks import filled_in


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that lie beside docs/."""
    for name, source in OUTSIDE.items():
        files.append(File.generated(config, name, abs_src_path=str(source)))
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Fills in what is generated, and turns links to files into those to pages."""
    return filled_in(linked(markdown, page.file.src_uri))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Writes formulas as MathML, which browsers draw by themselves."""
    return with_formulas(html)
