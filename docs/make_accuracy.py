"""Write ``docs/accuracy.md`` from back-tests; nothing on that page is typed.

Run as ``python docs/make_accuracy.py ENGLAND``, where ENGLAND is the folder of the published tables
that ``data/make_england.py`` reads. Takes some minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import placeforecast as pf
from placeforecast.evaluation.backtest import WHOLE
from placeforecast.evaluation.measures import measures
from placeforecast.evaluation.page import in_percent
from placeforecast.rates.models import GreyModel, History
from placeforecast.rates.thinning import thin
from placeforecast.uncertainty.correction import try_shares
from placeforecast.uncertainty.replay import replay

if TYPE_CHECKING:
    from placeforecast.uncertainty.past import Replayed

ROOT = Path(__file__).parents[1]

SHIPPED = ("default", "trend", "pooled", "naive")
RULES = {
    "last": 'rule = "last"',
    "mean-3": 'rule = "mean"\nyears = 3',
    "3-2-1": 'rule = "weights"\nweights = [3, 2, 1]',
    "volume-3": 'rule = "volume"\nyears = 3',
}
LAUNCHES = range(2014, 2018)
GROUPS = {
    "Reception": ("grade", "R"),
    "Reception-Year 6": ("stage", "primary"),
    "Years 7-11": ("stage", "secondary"),
}
CHINA_LAUNCHES = range(2014, 2022)
YOUNG = ("K", "P1", "P2_6")
CORRECTION = """\
### Correction by the last error

WAPE of stage totals at lead 1, had this share of the last launch's error been taken off `default`;
the shipped models take none.
"""
SIZES = (100, 300, 1_000, 10_000)
SEEDS = range(8)
AGAINST = ("mean-3", "volume-3")
SMALL = """\
### Small districts

The same data thinned child by child into districts of about so many pupils from Reception to Year
11 (each cohort once, then its leavers and joiners; {seeds} seeds): WAPE of each stage, mean over
seeds. Only net moves are known, so real small districts are noisier than these.
"""
CHINA = """\
## China: national totals, launches 2014-2021

Kindergarten (peak 2020) and primary (peak 2023). Junior and senior are left out: the births of
their cohorts are not in the table, or years are missing in their series. Births before the census
revision of 2021 were too low by up to 17 %, and a launch uses only what was published by it, so
that the errors hold what those births cost. `after` is after the peak of the stage.
"""
GREY = """\
### GM(1,1) on the same totals

The grey model of many Chinese papers, fitted to the totals of a stage up to each launch. One
exponential cannot turn: it misses every year after the peak.
"""
HEAD = """\
# Accuracy

This page is written by `make accuracy` from back-tests of the shipped models; every figure is
measured. A launch uses only what was published by it; leads are school years. MAPE is the mean of
|forecast - actual| / actual over districts, WAPE the sum of |forecast - actual| over the sum of
actual, bias the sum of forecast less actual over the sum of actual (positive: too many). All are in
percent.
"""


def rule_models(folder: Path) -> list[str]:
    """Write a model folder for each single rule and return their paths."""
    paths = []
    for name, rule in RULES.items():
        (folder / name).mkdir()
        families = "\n".join(f"[{f}]\n{rule}" for f in ("intake", "participation", "progression"))
        text = f'name = "{name}"\nwithout_history = "region"\n{families}\n'
        (folder / name / "model.toml").write_text(text, encoding="utf-8")
        paths.append(str(folder / name))
    return paths


def group_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the three groups, named."""
    parts = []
    for name, (column, value) in GROUPS.items():
        rows = errors[errors[column] == value]
        rows = rows[rows["grade"] == WHOLE] if column == "stage" else rows
        parts.append(rows.assign(group=name))
    return pd.concat(parts, ignore_index=True)


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    head = [str(column) for column in table.columns]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in table.itertuples(index=False)]
    return "\n".join(lines) + "\n"


def england_point(errors: pd.DataFrame) -> str:
    """Return the comparison of models with the best single rule in hindsight."""
    by_launch = errors.groupby(["group", "model", "lead", "launch_year"])["ape"].mean()
    by_lead = by_launch.groupby(["group", "model", "lead"]).mean()
    table = (
        by_lead.reset_index().pivot(index=["group", "model"], columns="lead", values="ape") * 100
    )
    table["mean"] = table.mean(axis="columns")
    rules = list(RULES)
    parts = ["## England: 49 authorities, launches 2014-2017\n"]
    for group in GROUPS:
        rows = table.loc[group]
        best = rows.loc[rules].min()
        shown = rows.assign(against_best_rule=(rows["mean"] / best["mean"] - 1) * 100)
        each = rows.drop(columns="mean") / best.drop("mean") - 1
        shown["worst_lead"] = each.T.max() * 100
        shown = shown.sort_values("mean").round(2).reset_index()
        shown.columns = [f"lead {c}" if isinstance(c, int) else str(c) for c in shown.columns]
        parts.append(f"### {group}: MAPE\n\n{markdown(shown)}")
    return "\n".join([*parts, loses_to_naive(by_lead)])


def loses_to_naive(by_lead: pd.Series[float]) -> str:
    """Say where a shipped model is worse than the naive one."""
    rows = by_lead.reset_index()
    table = rows.pivot(index=["group", "lead"], columns="model", values="ape")
    lines = []
    for model in SHIPPED[:-1]:
        worse = table[table[model] > table["naive"]]
        cells = [f"{group} lead {lead}" for group, lead in worse.index]
        lines.append(
            f"- `{model}` loses to `naive` at: {', '.join(cells) if cells else 'nowhere'}."
        )
    return "\n".join(lines) + "\n"


def england_intervals(errors: pd.DataFrame) -> str:
    """Return measured coverage and width of the intervals of the shipped models."""
    table = measures(errors, ["group", "model", "lead"])
    columns = ["group", "model", "lead", "coverage_80", "width_80", "coverage_95", "width_95"]
    shown = in_percent(table[table["model"].isin(SHIPPED)])[[*columns, "launches"]]
    note = (
        "Drawn from the errors of earlier launches only; `launches` is how many were held against."
    )
    return f"### Intervals\n\n{note}\n\n{markdown(shown)}"


def correction(inputs: pf.Inputs) -> str:
    """Return what taking a share of the last error off lead 1 would have done."""
    assert inputs.grades is not None
    stage_of = dict(zip(inputs.grades["grade"], inputs.grades["stage"], strict=True))
    past = replay(inputs, range(LAUNCHES[0] - 1, LAUNCHES[-1] + 1), model="default", longest=1)
    table = try_shares(past, ["primary", "secondary"], stage_of)
    wide = table.pivot(index="share", columns="stage", values="wape") * 100
    return f"{CORRECTION}\n{markdown(wide.round(3).reset_index())}"


def small_districts(inputs: pf.Inputs, models: list[str]) -> str:
    """Return errors by the size of districts, and at which size pooling pays."""
    assert inputs.enrolment is not None
    assert inputs.births is not None
    taught = inputs.enrolment[~inputs.enrolment["grade"].isin(("12", "13", "14"))]
    rows = []
    for size in SIZES:
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            enrolment, births = thin(taught, inputs.births, size, rng)
            thinned = replace(inputs, enrolment=enrolment, births=births)
            for model in models:
                past = replay(thinned, LAUNCHES, model=model, longest=4)
                rows += [(size, seed, Path(model).name, *row) for row in _stage_wape(past)]
    table = pd.DataFrame(rows, columns=["size", "seed", "model", "stage", "wape"])
    mean = table.groupby(["size", "stage", "model"], as_index=False)["wape"].mean()
    wide = mean.pivot(index=["size", "stage"], columns="model", values="wape") * 100
    wide["pooled against mean-3"] = (wide["pooled"] / wide["mean-3"] - 1) * 100
    wide["pooled against volume-3"] = (wide["pooled"] / wide["volume-3"] - 1) * 100
    return f"{SMALL.format(seeds=len(SEEDS))}\n{markdown(wide.round(2).reset_index())}"


def _stage_wape(past: Replayed) -> list[tuple[str, float]]:
    """Return the WAPE of the totals of both stages over launches, leads and districts."""
    grades = past.axes["grade"]
    stages = {"Reception-Year 6": grades[:7], "Years 7-11": grades[7:]}
    found = []
    for stage, own in stages.items():
        rows = [grades.index(grade) for grade in own]
        gap = (past.forecast - past.actual)[:, :, rows].sum(axis=2)
        actual = np.where(np.isnan(gap), np.nan, past.actual[:, :, rows].sum(axis=2))
        found.append((stage, float(np.nansum(np.abs(gap)) / np.nansum(actual))))
    return found


def national() -> pd.DataFrame:
    """Return the errors of the shipped models on the national kindergarten and primary totals."""
    inputs = pf.load_example("china")
    assert inputs.enrolment is not None
    young = inputs.enrolment[inputs.enrolment["grade"].isin(YOUNG)]
    inputs = replace(inputs, enrolment=young)
    return pf.backtest(inputs, launch_years=CHINA_LAUNCHES, horizon=5, models=SHIPPED)


def china(errors: pd.DataFrame) -> str:
    """Return errors on the national totals, before and after each stage's peak."""
    whole = errors[errors["grade"] == WHOLE]
    table = measures(whole, ["stage", "phase", "lead", "model"])
    columns = ["stage", "phase", "lead", "model", "mape", "bias", "skill", "launches"]
    parts = [CHINA, markdown(in_percent(table)[columns])]
    missed = errors.attrs["not_fitted"]
    lines = [
        f"- `{model}` is not fitted at {', '.join(map(str, launches))}."
        for model, launches in missed.items()
        if launches
    ]
    return "\n".join([*parts, *lines, "", entry_ratios(), grey(whole)]) + "\n"


def entry_ratios() -> str:
    """Return the entry ratios as they are: above 1 where births were missed, and not clipped."""
    inputs = pf.load_example("china")
    births = pf.estimate(inputs).births
    assert births is not None
    assert inputs.enrolment is not None
    cohort = dict(zip(births["year"], births["births"], strict=True))
    entrants = inputs.enrolment[inputs.enrolment["grade"] == "P1"]
    rows = [
        (year, f"{pupils / cohort[year - 6]:.3f}")
        for year, pupils in zip(entrants["year"], entrants["pupils"], strict=True)
        if year - 6 in cohort
    ]
    table = pd.DataFrame(rows, columns=["school year", "entrants / births of the cohort"])
    return f"### Entry ratios of primary, births as known in 2026\n\n{markdown(table)}"


def grey(whole: pd.DataFrame) -> str:
    """Return how far GM(1,1), fitted to a stage's totals up to each launch, misses what came."""
    actual = whole[whole["model"] == "naive"].drop_duplicates(["stage", "launch_year", "year"])
    rows = []
    inputs = pf.load_example("china")
    assert inputs.enrolment is not None
    for stage, grades in (("kindergarten", ["K"]), ("primary", ["P1", "P2_6"])):
        series = inputs.enrolment[inputs.enrolment["grade"].isin(grades)]
        totals = series.groupby("year")["pupils"].sum()
        for launch in CHINA_LAUNCHES:
            past = totals[totals.index <= launch]
            values = past.to_numpy(dtype=float)[:, np.newaxis]
            history = History(values, np.ones_like(values), tuple(past.index))
            came = actual[(actual["stage"] == stage) & (actual["launch_year"] == launch)]
            years = sorted(set(came["year"]))
            predicted = GreyModel().fit(history).predict(years)[:, 0]
            own = came.set_index("year").loc[years]
            for year, forecast in zip(years, predicted, strict=True):
                error = forecast / own.loc[year, "actual"] - 1
                rows.append((stage, own.loc[year, "phase"], year - launch, error))
    table = pd.DataFrame(rows, columns=["stage", "phase", "lead", "error"])
    grouped = table.groupby(["stage", "phase", "lead"])["error"]
    shown = grouped.agg(mape=lambda e: 100 * e.abs().mean(), bias=lambda e: 100 * e.mean())
    return f"{GREY}\n{markdown(shown.round(2).reset_index())}"


def main() -> None:
    """Write the page."""
    source = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = str(ROOT / "data" / "make_england.py")
        subprocess.run([sys.executable, script, str(source), str(folder / "england")], check=True)
        inputs = pf.read_inputs(folder / "england")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pf.AssumptionWarning)  # births not yet published
            models = [*SHIPPED, *rule_models(folder)]
            errors = pf.backtest(inputs, launch_years=LAUNCHES, horizon=4, models=models, jobs=2)
            tried = ["pooled", "default", *(m for m in models if Path(m).name in AGAINST)]
            small = f"{correction(inputs)}\n{small_districts(inputs, tried)}"
    grouped = group_errors(errors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.AssumptionWarning)  # the page says it in words
        parts = [HEAD, england_point(grouped), england_intervals(grouped), small, china(national())]
    page = ROOT / "docs" / "accuracy.md"
    page.write_text("\n".join(parts), encoding="utf-8")
    sys.stdout.write(f"{page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
