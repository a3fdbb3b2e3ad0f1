"""The settings of a region: ``forecast.toml``."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from placeforecast.tables.problems import InputError, Problem, suggest

if TYPE_CHECKING:
    from pathlib import Path

FULL_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
MONTH_DAY = re.compile(r"(\d{2})-(\d{2})$")


def _month_day(text: str) -> str:
    match = MONTH_DAY.match(text)
    if match is None:
        raise ValueError("is not a month and day; write MM-DD, such as 08-31")
    try:
        pd.Timestamp(f"2001-{text}")
    except ValueError:
        raise ValueError("is no day of the calendar; write MM-DD, such as 08-31") from None
    return text


def _month_end(text: str) -> str:
    _month_day(text)
    if not pd.Timestamp(f"2001-{text}").is_month_end:
        raise ValueError("is not the last day of a month; write one, such as 08-31")
    return text


def _as_of(text: str) -> str:
    if MONTH_DAY.match(text):
        return _month_day(text)
    if not FULL_DATE.match(text):
        raise ValueError(
            "is not a day; write MM-DD of the launch year, or a full date YYYY-MM-DD, in quotes"
        )
    try:
        return str(pd.Timestamp(text).date())
    except ValueError:
        raise ValueError("is no day of the calendar; write YYYY-MM-DD") from None


def _quantiles(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(not 0 < value < 1 for value in values) or list(values) != sorted(set(values)):
        raise ValueError("are not rising numbers between 0 and 1; write such as [0.1, 0.5, 0.9]")
    return values


class Section(BaseModel):
    """A part of the settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Time(Section):
    """When things are counted and when they are known."""

    cutoff: Annotated[str, AfterValidator(_month_end)] = "08-31"
    births_end: Annotated[str, AfterValidator(_month_end)] = "12-31"
    births_lag: int = Field(default=0, ge=0, le=60)
    as_of: Annotated[str, AfterValidator(_as_of)] | None = None
    population_date: Annotated[str, AfterValidator(_month_day)] = "12-31"


class Run(Section):
    """How a forecast is run when the call does not say."""

    model: str = "default"
    trajectories: int = Field(default=0, ge=0)
    quantiles: Annotated[tuple[float, ...], AfterValidator(_quantiles), Field(strict=False)] = (
        0.1,
        0.5,
        0.9,
    )
    seed: int | None = Field(default=None, ge=0)


class Settings(Section):
    """The settings of a region; every key has a default."""

    name: str = ""
    launch_year: int | None = Field(default=None, ge=1900, le=2200)
    horizon: int = Field(default=15, ge=1, le=100)
    school_system: str = "cn-6-3-3"
    time: Time = Time()
    run: Run = Run()

    def as_of(self, launch_year: int) -> pd.Timestamp:
        """Return the day of a launch: what is published later is not known at it.

        A full date in the settings belongs to the launch year given there; another launch has its
        day as many years earlier or later.
        """
        day = self.time.as_of or self.time.cutoff
        if MONTH_DAY.match(day):
            return _day(launch_year, day)
        date = pd.Timestamp(day)
        offset = date.year - (self.launch_year if self.launch_year is not None else launch_year)
        return _day(launch_year + offset, date.strftime("%m-%d"))


def _day(year: int, month_day: str) -> pd.Timestamp:
    month, day = (int(part) for part in month_day.split("-"))
    last = pd.Timestamp(year=year, month=month, day=1).days_in_month
    return pd.Timestamp(year=year, month=month, day=min(day, last))


def read_settings(path: Path) -> Settings:
    """Read ``forecast.toml``.

    Raises
    ------
    InputError
        For text that is not TOML, an unknown key, or a value that cannot be; names each.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        rule, remedy = "is not UTF-8", "Save it as UTF-8."
        raise InputError([Problem(file=path.name, rule=rule, remedy=remedy)]) from None
    except tomllib.TOMLDecodeError as error:
        rule = f"is not TOML ({error})"
        remedy = 'Correct the line that it names; write key = value, and text in "quotes".'
        raise InputError([Problem(file=path.name, rule=rule, remedy=remedy)]) from None
    return parse(Settings, raw, path.name)


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], raw: dict[str, Any], file: str) -> Model:
    """Turn a mapping into one of the settings records.

    Raises
    ------
    InputError
        With every unknown key and every wrong value, each with its place.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = [_problem(model, dict(found), file) for found in error.errors()]
        raise InputError(problems) from None


def _problem(model: type[BaseModel], found: dict[str, Any], file: str) -> Problem:
    place = [str(part) for part in found["loc"]]
    key = ".".join(place)
    if found["type"] == "extra_forbidden":
        known: Any = model
        for part in place[:-1]:
            known = known.model_fields[part].annotation
        remedy = suggest(place[-1], known.model_fields)
        return Problem(file=file, column=key, rule="is not a known key", remedy=remedy)
    rule, remedy = _rule(found)
    value = str(found["input"])
    return Problem(file=file, column=key, value=value, rule=rule, remedy=remedy)


WRONG_TYPE = {
    "int_type": ("is not a whole number", "Write digits without quotes."),
    "float_type": ("is not a number", "Write digits without quotes."),
    "string_type": ("is not text", 'Write it in "quotes".'),
    "tuple_type": ("is not a list", "Write it in brackets, such as [0.1, 0.5, 0.9]."),
    "model_type": ("is not a section", "Write its keys below a line with its name in brackets."),
}


def _rule(found: dict[str, Any]) -> tuple[str, str]:
    """Say in plain words what a value breaks."""
    kind, limits = str(found["type"]), found.get("ctx", {})
    if kind in WRONG_TYPE:
        return WRONG_TYPE[kind]
    if kind == "greater_than_equal":
        return f"is below {limits['ge']}", f"Give a number from {limits['ge']} up."
    if kind == "less_than_equal":
        return f"is above {limits['le']}", f"Give a number up to {limits['le']}."
    if kind == "literal_error":
        return "is not known here", f"Write {limits['expected']}."
    if kind == "value_error":
        rule, _, remedy = str(limits["error"]).partition("; ")
        return rule, f"{remedy[0].upper()}{remedy[1:]}." if remedy else "Correct the value."
    return f"does not fit ({found['msg']})", "Correct the value."
