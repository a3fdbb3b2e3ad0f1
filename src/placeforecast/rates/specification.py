"""Named model specifications: the folders under ``models/``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from placeforecast.rates.fertility import FertilityRule
from placeforecast.rates.models import (
    Covariate,
    DampedTrend,
    Exponential,
    GreyModel,
    LocalLevel,
    Pooled,
    RateModel,
    VolumeWeighted,
    Weighted,
)
from placeforecast.tables.examples import project_folder
from placeforecast.tables.problems import InputError, Problem, suggest
from placeforecast.tables.settings import Section, parse

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "model.toml"

RuleName = Literal[
    "last",
    "mean",
    "weights",
    "volume",
    "exponential",
    "local_level",
    "damped_trend",
    "pooled",
    "covariate",
    "grey",
]


def _weights(values: tuple[float, ...]) -> tuple[float, ...]:
    if min(values) < 0 or sum(values) == 0:
        raise ValueError("must not be negative, and one at least must be above 0")
    return values


class Rule(Section):
    """How one family of rates is carried forward.

    ``last`` holds the last ratio, ``mean`` the mean of the latest `years`, ``weights`` their mean
    with the weights given (the latest first), ``volume`` all pupils over all exposed of `years`,
    ``exponential`` the mean of all years with weights that fall from `weight`; ``local_level`` and
    ``damped_trend`` smooth on a `scale`, ``pooled`` leans on the other districts where children are
    few, ``covariate`` regresses on last year's ratios, ``grey`` is GM(1,1), for comparison.
    """

    rule: RuleName = "last"
    years: int = Field(default=3, ge=1, le=30)
    weights: Annotated[
        tuple[float, ...], Field(strict=False, min_length=1), AfterValidator(_weights)
    ] = (3.0, 2.0, 1.0)
    weight: float = Field(default=0.6, gt=0, le=1)
    grades: float = Field(default=3, ge=1)
    damping: float = Field(default=0.8, gt=0, lt=1)
    scale: Literal["log", "logit"] = "log"

    def model(self) -> RateModel:
        """Return the rate model of this rule."""
        return MODELS[self.rule](self)


MODELS: dict[str, Callable[[Rule], RateModel]] = {
    "last": lambda _: Weighted((1.0,)),
    "mean": lambda rule: Weighted((1.0,) * rule.years),
    "weights": lambda rule: Weighted(rule.weights),
    "volume": lambda rule: VolumeWeighted(rule.years),
    "exponential": lambda rule: Exponential(rule.weight),
    "local_level": lambda rule: LocalLevel(rule.scale),
    "damped_trend": lambda rule: DampedTrend(rule.scale, rule.damping),
    "pooled": lambda rule: Pooled(rule.weight, rule.grades),
    "covariate": lambda _: Covariate(),
    "grey": lambda _: GreyModel(),
}


class Correction(Section):
    """How much of the last known error is taken off, and up to which lead; 0 is none."""

    share: float = Field(default=0.0, ge=0, le=1)
    leads: int = Field(default=1, ge=1, le=10)


class Specification(Section):
    """A named model: one rule per family of rates.

    `without_history` says what a ratio is that has no year of its own (a grade that has just
    opened): ``region`` takes that of all districts together and says so, ``refuse`` raises.
    `bound_history` says what a year teaches in which schools were full (`capacity_bound`):
    ``leave_out`` nothing, ``keep`` the ratio as counted.
    `fertility` says how the level of the schedule is fitted to recorded births; without it the
    schedule is used as given.
    """

    name: str
    description: str = ""
    without_history: Literal["region", "refuse"] = "refuse"
    bound_history: Literal["leave_out", "keep"] = "leave_out"
    fertility: FertilityRule | None = None
    births: Rule = Rule()
    intake: Rule = Rule()
    participation: Rule = Rule()
    progression: Rule = Rule()
    shares: Rule = Rule()
    correction: Correction = Correction()


def load_model(name: str | Path) -> Specification:
    """Read a model by its name under ``models/``, or from the path of a folder.

    Raises
    ------
    InputError
        If there is no such model, or for an unknown key or wrong value in its ``model.toml``.

    Examples
    --------
    >>> from placeforecast.rates.specification import load_model
    >>> load_model("naive").progression.rule
    'last'
    """
    shipped = project_folder("models")
    folder = shipped / name if (shipped / name / FILE).is_file() else Path(name)
    if not (folder / FILE).is_file():
        known = [path.parent.name for path in shipped.glob(f"*/{FILE}")]
        remedy = f"{suggest(str(name), known)} Or give the path of a folder with a {FILE}."
        raise InputError([Problem(value=str(name), rule="is not a model", remedy=remedy)])
    file = folder / FILE
    try:
        raw = tomllib.loads(file.read_text("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        remedy = "Correct the line that it names."
        raise InputError([Problem(file=str(file), rule=str(error), remedy=remedy)]) from None
    return parse(Specification, raw, str(file))
