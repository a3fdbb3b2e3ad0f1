"""The command line: check, forecast, report, backtest, score.

Exit status 0; 1 for bad input, with the problems on standard error and nothing written; 2 for a
wrong call.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import placeforecast as pf
from placeforecast.chain.record import RESULTS
from placeforecast.evaluation.page import accuracy_table
from placeforecast.rounds.ledger import add_to_ledger
from placeforecast.tables.examples import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from placeforecast.chain.record import Forecast

app = typer.Typer(
    help="Forecasts how many school places a district will be short of, or have idle.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Region = Annotated[
    str, typer.Argument(help="Folder of a region, or the name of a shipped example (city, china).")
]
Out = Annotated[
    Path, typer.Option(file_okay=False, help="Folder to write to; made if it is not there.")
]
Model = Annotated[str | None, typer.Option(help="A model under models/, or the path of one.")]
LaunchYear = Annotated[int | None, typer.Option(help="Last school year that is known.")]
Horizon = Annotated[int | None, typer.Option(min=1, max=100, help="Years to forecast.")]
Trajectories = Annotated[
    int | None, typer.Option(min=0, help="Random runs around the central one; 0 for none.")
]
Quantiles = Annotated[str | None, typer.Option(help="Quantiles, such as 0.1,0.5,0.9.")]
Scenario = Annotated[
    str | None, typer.Option(help="Scenarios of the region or shipped ones, separated by commas.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the trajectories.")]
Jobs = Annotated[int, typer.Option(min=1, help="Processes.")]
Template = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="Your own Word document to write the docx into."
    ),
]
Boundaries = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="Your own boundaries (property district) for a map."
    ),
]


class Language(StrEnum):
    """Languages of the report."""

    zh = "zh"
    en = "en"


@contextmanager
def _speaking() -> Iterator[None]:
    """Print warnings as one line each, and bad input as its problems with exit status 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", pf.AssumptionWarning)  # the same words once
        warnings.showwarning = _say
        try:
            yield
        except pf.InputError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None


def _say(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    label = "note" if issubclass(category, pf.AssumptionWarning) else category.__name__
    typer.echo(f"{label}: {message}", err=True)


def _read(region: str) -> pf.Inputs:
    """Read a folder, or the shipped example of that name where there is no such folder."""
    if region in EXAMPLES and not Path(region).exists():
        return pf.load_example(region)
    return pf.read_inputs(region)


def _numbers(text: str | None, option: str) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter("write numbers separated by commas", param_hint=option) from None


def _years(text: str) -> list[int]:
    """Read ``2014-2017`` or ``2014,2016``."""
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    except ValueError:
        hint = "write 2014-2017 or 2014,2016"
        raise typer.BadParameter(hint, param_hint="--launch-years") from None
    return found


@contextmanager
def _called_rightly(option: str) -> Iterator[None]:
    """Turn a wrong value of an option into a wrong call."""
    try:
        yield
    except pf.InputError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


@contextmanager
def _into_own_folder() -> Iterator[None]:
    """Turn a folder with the report of another region or launch into a wrong call."""
    try:
        yield
    except FileExistsError as error:
        told = str(error).replace("overwrite=True", "--overwrite")
        raise typer.BadParameter(told, param_hint="--out") from None


def _forecast(
    region: str,
    quantiles: str | None,
    trajectories: int | None,
    scenario: str | None,
    **asked: Any,  # noqa: ANN401 - passed on to `forecast`, which names and checks them
) -> Forecast:
    """Read a region and forecast it; trajectories not asked for are those of the settings."""
    levels = _numbers(quantiles, "--quantiles")
    inputs = _read(region)
    runs = inputs.settings.run.trajectories if trajectories is None else trajectories
    names = None if scenario is None else [name.strip() for name in scenario.split(",")]
    with _called_rightly("--quantiles"):
        return pf.forecast(inputs, trajectories=runs, quantiles=levels, scenarios=names, **asked)


REVIEW = ("plan_review", "project_review")


def _tables(result: Forecast) -> dict[str, pd.DataFrame]:
    """Return every result table, and the review of the plan where there is a balance."""
    tables = result.tables()
    if result.balance is not None:
        review = pf.review_plan(result)
        tables |= dict(zip(REVIEW, (review.districts, review.projects), strict=True))
    return tables


@app.command()
def check(region: Region) -> None:
    """Check the tables of a region and say what is there."""
    with _speaking():
        inputs = _read(region)
        typer.echo(inputs.provenance.drop(columns=["sha256", "lines"]).to_string(index=False))
        typer.echo("no problems")


@app.command()
def forecast(  # noqa: PLR0913 - options of a command line, each named in the call
    region: Region,
    out: Out,
    model: Model = None,
    scenario: Scenario = None,
    launch_year: LaunchYear = None,
    horizon: Horizon = None,
    trajectories: Trajectories = None,
    quantiles: Quantiles = None,
    seed: Seed = None,
    jobs: Jobs = 1,
) -> None:
    """Forecast a region and write one CSV per result table."""
    with _speaking():
        result = _forecast(
            region,
            quantiles,
            trajectories,
            scenario,
            model=model,
            launch_year=launch_year,
            horizon=horizon,
            seed=seed,
            jobs=jobs,
        )
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out) as folder:
            for name, table in _tables(result).items():
                # Spreadsheets in China read UTF-8 only with a byte-order mark.
                file = Path(folder) / f"{name}.csv"
                table.to_csv(file, index=False, encoding="utf-8-sig", lineterminator="\n")
            for file in sorted(Path(folder).iterdir()):
                typer.echo(file.replace(out / file.name))
        for name in {*RESULTS, *REVIEW} - set(_tables(result)):
            (out / f"{name}.csv").unlink(missing_ok=True)  # of an earlier run: not of this one


@app.command()
def report(  # noqa: PLR0913 - options of a command line, each named in the call
    region: Region,
    out: Out,
    language: Annotated[Language, typer.Option(help="Language of the report.")] = Language.zh,
    formats: Annotated[
        str, typer.Option(help="Of html, docx, xlsx and pdf, separated by commas.")
    ] = "html,docx,xlsx",
    template: Template = None,
    before: Annotated[
        Path | None, typer.Option(help="Folder of the last round, to say what has moved.")
    ] = None,
    geojson: Boundaries = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the report of another region or launch.")
    ] = False,
    model: Model = None,
    scenario: Scenario = None,
    launch_year: LaunchYear = None,
    horizon: Horizon = None,
    trajectories: Trajectories = None,
    quantiles: Quantiles = None,
    seed: Seed = None,
    jobs: Jobs = 1,
) -> None:
    """Forecast a region and write the report."""
    asked = tuple(part.strip() for part in formats.split(",") if part.strip())
    with _speaking():
        result = _forecast(
            region,
            quantiles,
            trajectories,
            scenario,
            model=model,
            launch_year=launch_year,
            horizon=horizon,
            seed=seed,
            jobs=jobs,
        )
        named = [] if scenario is None else scenario.split(",")
        if len(named) == 1:
            result = result.of(named[0].strip())
        last = None if before is None else pf.read_round(before)
        files = {"--template": template, "--geojson": geojson}
        given = [option for option, file in files.items() if file is not None]
        with _called_rightly(" / ".join(["--formats", *given])), _into_own_folder():
            written = pf.write_report(
                result,
                out,
                language=language.value,
                formats=asked,
                template=template,
                before=last,
                geojson=geojson,
                overwrite=overwrite,
            )
        for file in written:
            typer.echo(file)


@app.command()
def backtest(
    region: Region,
    launch_years: Annotated[str, typer.Option(help="Past launches: 2014-2017 or 2014,2016.")],
    horizon: Horizon = None,
    models: Annotated[str | None, typer.Option(help="Models, separated by commas.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write every error to this CSV.")] = None,
    jobs: Jobs = 1,
) -> None:
    """Forecast from past launches, compare with what came, and print the measures."""
    asked = None if models is None else [part.strip() for part in models.split(",")]
    with _speaking():
        inputs = _read(region)
        reach = inputs.settings.horizon if horizon is None else horizon
        errors = pf.backtest(
            inputs, launch_years=_years(launch_years), horizon=reach, models=asked, jobs=jobs
        )
        typer.echo(accuracy_table(errors))
        for name, launches in errors.attrs["not_fitted"].items():
            for launch, why in launches.items():
                typer.echo(f"note: {name} is not fitted at {launch}: {why}", err=True)
        if out is not None:
            errors.to_csv(out, index=False, encoding="utf-8-sig", lineterminator="\n")
            typer.echo(out)


@app.command()
def score(
    frozen: Annotated[Path, typer.Argument(metavar="ROUND", help="A folder of a frozen round.")],
    region: Region,
    out: Annotated[Path | None, typer.Option(help="Also write the tables to this folder.")] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Also add the round to this CSV of past_rounds."),
    ] = None,
) -> None:
    """Score a frozen round against the pupils counted since."""
    with _speaking():
        last = pf.read_round(frozen)
        scored = pf.score_round(last, _read(region))
        if ledger is not None:
            add_to_ledger(ledger, scored, last.launch_year)
        typer.echo(scored.summary.to_string(index=False))
        typer.echo(scored.split.to_string(index=False))
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for name in ("errors", "summary", "split"):
                file = out / f"{name}.csv"
                table = getattr(scored, name)
                table.to_csv(file, index=False, encoding="utf-8-sig", lineterminator="\n")
                typer.echo(file)
        if ledger is not None:
            typer.echo(ledger)


def main() -> None:
    """Run the command line."""
    app(prog_name="placeforecast", args=sys.argv[1:])


if __name__ == "__main__":
    main()
