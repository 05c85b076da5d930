"""The public privacy pages: written on the server, in English and French, without a script."""

from workers.services.pages.facts import Facts, Standing
from workers.services.pages.render import LANGUAGES, Page, Pages

__all__ = ["LANGUAGES", "Facts", "Page", "Pages", "Standing"]
