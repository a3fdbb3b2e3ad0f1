"""The words of figures and reports, by language; names of values come from the vocabulary."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from placeforecast.tables.vocabulary import combined_stages, shipped, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Words:
    """The words of one language.

    Parameters
    ----------
    language : {"zh", "en"}
    texts : Mapping of str to str
        Texts by key, such as ``"figure.year"``; fields in braces are filled in.

    Examples
    --------
    >>> from placeforecast.plot.words import words
    >>> words("zh").stage("compulsory"), words("en").value("status", "under_construction")
    ('义务教育', 'under construction')
    """

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **fields: object) -> str:
        """Return a text, with its fields filled in."""
        return self.texts[key].format(**fields)

    def value(self, list_name: str, value: str) -> str:
        """Return the name of a value of the vocabulary, such as a ledger."""
        return self._named(_value_names(list_name), value)

    def stage(self, stage: str) -> str:
        """Return the name of a stage or of a combined stage; one that is not known as it is."""
        if stage in combined_stages():
            return _capital(self._named(_combined_names(), stage))
        return self.texts.get(f"stage.{stage}", stage)

    def driver(self, name: str) -> str:
        """Return the name of what moves a figure; one that is not known as it is."""
        return self.texts.get(f"driver.{name}", name)

    def scenario(self, name: str) -> str:
        """Return the name of a scenario; one that is not shipped as it is."""
        return self.texts.get(f"scenario.{name}", name)

    def table(self, name: str) -> str:
        """Return the name of a table."""
        known = vocabulary().get(name)
        zh = {name: known.zh} if known is not None else {}
        return self._named(zh, name)

    def column(self, table: str, name: str) -> str:
        """Return the name of a column of a table."""
        zh = {c.name: c.zh for c in vocabulary()[table].columns}
        return _capital(self._named(zh, name))

    def warning(self, level: str) -> str:
        """Return the name of a warning level."""
        return self._named(_warning_names(), level)

    def _named(self, zh: Mapping[str, str], name: str) -> str:
        if self.language == "zh" and zh.get(name):
            return zh[name]
        return name.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _value_names(list_name: str) -> Mapping[str, str]:
    return _zh("values", "value", list_name)


@cache
def _combined_names() -> Mapping[str, str]:
    return _zh("combined_stages", "combined")


@cache
def _warning_names() -> Mapping[str, str]:
    return _zh("warnings", "level")


def _zh(table: str, name: str, list_name: str = "") -> Mapping[str, str]:
    """Return the Chinese names of a table of the vocabulary."""
    rows = shipped(table)
    if list_name:
        rows = rows[rows["list"] == list_name]
    return dict(zip(rows[name], rows["zh"], strict=True))


def read_texts(package: str, language: str) -> Mapping[str, str]:
    """Return the texts of one catalogue file, by key.

    Raises
    ------
    ValueError
        If there is no such language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"there is no language {language!r}: {', '.join(LANGUAGES)}")
    sections = tomllib.loads(files(package).joinpath(f"{language}.toml").read_text("utf-8"))
    return {f"{name}.{key}": text for name, part in sections.items() for key, text in part.items()}


@cache
def words(language: str) -> Words:
    """Return the words of the figures in a language.

    Raises
    ------
    ValueError
        If there is no such language.
    """
    return Words(language, read_texts(__name__, language))
