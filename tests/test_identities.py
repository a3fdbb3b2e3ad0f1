"""What the demand, the places and the balance of the example city have to obey, to 1e-9.

Each identity is worked out here a second time, from the tables of the region and of the result
alone, and is run again on a result with one cell changed, where it must fail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf

if TYPE_CHECKING:
    from collections.abc import Callable

    from placeforecast.chain.record import Forecast
    from placeforecast.tables.records import Inputs

LAUNCH, WINDOW = 2025, 5
COMPULSORY, SENIOR = ("primary", "junior"), ("senior_general", "senior_vocational")
CELL = ["district", "year", "grade"]
RUN = ["year", "ledger", "plan_case"]
# Shipped class sizes: kindergarten rules of 2016, planning norms of the other stages.
CLASS = {"K1": 25, "K2": 30, "K3": 35, "P": 45, "J": 50, "S": 50, "V": 45}


@dataclass(frozen=True)
class City:
    """The example city and its forecasts.

    `bare` is without housing, `unsplit` without a policy of the senior split; `converted` and
    `kept` are without a cap on private schools, with and without the school that turns public.
    """

    inputs: Inputs
    result: Forecast
    bare: Forecast
    unsplit: Forecast
    converted: Forecast
    kept: Forecast


@pytest.fixture(scope="module")
def city() -> City:
    inputs = pf.load_example("city")
    assert inputs.policy is not None
    assert inputs.projects is not None
    quick = replace(inputs, neighbours=None)
    taught = replace(quick, places=None, projects=None, tasks=None)
    of_split = inputs.policy["indicator"].str.startswith("senior_")
    capped = inputs.policy["indicator"] == "private_cap"
    free = replace(quick, policy=inputs.policy[~capped])
    staying = inputs.projects[inputs.projects["from_sector"].isna()]
    return City(
        inputs,
        pf.forecast(inputs),
        pf.forecast(replace(taught, housing=None, yields=None)),
        pf.forecast(replace(taught, policy=inputs.policy[~of_split])),
        pf.forecast(free, horizon=4),
        pf.forecast(replace(free, projects=staying), horizon=4),
    )


def close(found: Any, expected: Any, what: str) -> None:  # noqa: ANN401
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6, err_msg=what)


def table(owner: Any, name: str) -> pd.DataFrame:  # noqa: ANN401
    found = getattr(owner, name)
    assert found is not None
    return pd.DataFrame(found)


def path(rows: pd.DataFrame, years: Any) -> Any:  # noqa: ANN401
    """Return a path that is linear between its years and held outside them."""
    rows = rows.sort_values("year")
    return np.interp(years, rows["year"].astype(int), rows["value"].astype(float))


def indicator(policy: pd.DataFrame, name: str, **where: str) -> pd.DataFrame:
    rows = policy[policy["indicator"] == name]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows), f"{name} {where}"
    return rows


def kindergarten(city: City) -> None:
    """R01: three ledgers, each share x all children, and places - demand in each."""
    policy = table(city.inputs, "policy")
    cells = city.result.demand.query("stage == 'kindergarten'")
    sums = cells.groupby(["ledger", "district", "year"])["demand"].sum()
    for ledger in ("public", "inclusive"):
        for district, own in sums[ledger].groupby("district"):
            share = indicator(policy, f"{ledger}_share", stage="kindergarten", district=district)
            years = own.index.get_level_values("year")
            whole = sums["all"][district].loc[years]
            close(own, path(share, years) * whole, f"{ledger} of {district}")
    places = table(city.result, "places").query("stage == 'kindergarten'")
    stands = places.groupby(["ledger", "district", "year", "plan_case"])["places"].sum()
    balance = table(city.result, "balance").query("stage == 'kindergarten' and level == 'zone'")
    balance = balance.set_index(["ledger", "district", "year", "plan_case"])
    assert set(balance.index.get_level_values("ledger")) == {"all", "public", "inclusive"}
    needed = sums.loc[pd.MultiIndex.from_tuples([key[:3] for key in balance.index])].to_numpy()
    close(balance["balance"], stands.loc[balance.index].to_numpy() - needed, "balance of a ledger")


def after_transfers(city: City) -> pd.DataFrame:
    """Return compulsory pupils where they attend, with the shares of their sectors."""
    pupils = city.result.pupils
    pupils = pupils[pupils["grade"].str[0].isin(["P", "J"])]
    by_zone = pupils.set_index(["year", "grade", "residence", "district"])["pupils"].unstack()
    moved = by_zone.copy()
    for start, end, share in table(city.inputs, "transfers")[["from", "to", "share"]].to_numpy():
        # The rows of the example are of junior schools, and the launch is as counted.
        grade, year = (by_zone.index.get_level_values(key) for key in ("grade", "year"))
        going = by_zone[start].where(grade.str.startswith("J") & (year > LAUNCH), 0.0) * share
        moved[start] -= going
        moved[end] += going
    cells = moved.melt(ignore_index=False, value_name="pupils").reset_index()
    cells["stage"] = np.where(cells["grade"].str[0] == "P", *COMPULSORY)
    policy = table(city.result.assumptions, "policy")
    keys = ["district", "stage", "residence", "year"]
    index = pd.MultiIndex.from_frame(cells[keys])
    for name in ("public_share", "purchased_share"):
        given = indicator(policy, name).dropna(subset=["residence"]).set_index(keys)["value"]
        cells[name] = given.astype(float).reindex(index).to_numpy()
    cells["bought"] = cells["purchased_share"].fillna(0.0)  # none was counted in junior schools
    for stage in COMPULSORY:
        own = (cells["stage"] == stage) & (cells["residence"] == "migrant")
        ratio = path(indicator(policy, "migrant_public_share", stage=stage), cells["year"])
        cells["public_share"] = cells["public_share"].mask(own, ratio - cells["bought"])
    return cells


def compulsory(city: City) -> None:
    """R02, R05: public = sum over residence of ratio x pupils, the private rest cut to its cap."""
    cells = after_transfers(city)
    outside = cells["pupils"] * (1 - cells["public_share"] - cells["bought"])
    cap = path(indicator(table(city.inputs, "policy"), "private_cap"), cells["year"])
    by_zone = [cells["district"], cells["year"]]
    private = outside.groupby(by_zone).transform("sum")
    allowed = (cells["pupils"] * cap).groupby(by_zone).transform("sum")
    assert (private > allowed).any()
    # Of the school of 400 that turns public in 2027, each primary grade loses a sixth; who leaves
    # with it is not taken from the private schools a second time.
    turns = (cells["district"] == "D03-U") & (cells["year"] >= 2027)
    left = outside * np.minimum(1.0, (allowed + 400 * turns) / private)
    local = turns & (cells["stage"] == "primary") & (cells["residence"] == "local")
    cells["public_with_purchased"] = cells["pupils"] - left + local * 400 / 6
    cells["public"] = cells["public_with_purchased"] - cells["pupils"] * cells["bought"]
    expected = cells.groupby(CELL)[["pupils", "public", "public_with_purchased"]].sum()
    demand = city.result.demand[city.result.demand["stage"].isin(COMPULSORY)]
    for ledger, rows in demand.set_index(CELL).groupby("ledger"):
        column = "pupils" if ledger == "all" else str(ledger)
        close(rows["demand"], expected.loc[rows.index, column], f"demand of ledger {ledger}")


def private_cap(city: City) -> None:
    """R02: private share at most private_cap, of each zone and year, both stages together."""
    demand = city.result.demand[city.result.demand["stage"].isin(COMPULSORY)]
    sums = demand.groupby(["stage", "ledger", "district", "year"])["pupils"].sum()
    # Purchased places count as public; there are none in junior schools.
    public = sums["primary"]["public_with_purchased"] + sums["junior"]["public"]
    private = 1 - public / (sums["primary"]["all"] + sums["junior"]["all"])
    cap = path(indicator(table(city.inputs, "policy"), "private_cap"), range(LAUNCH, 2041))
    most = pd.Series(cap, index=range(LAUNCH, 2041)).loc[private.index.get_level_values("year")]
    assert (private <= most.to_numpy() + 1e-9).all(), "private share above its cap"
    assert (private > most.to_numpy() - 1e-9).any(), "private share at its cap nowhere"


def conversion(city: City) -> None:
    """R02: a school of 400 places that turns public in 2027 adds them to both sides alike."""
    for name, value in (("demand", "demand"), ("places", "places")):
        keys = [*CELL, "ledger", *(["plan_case"] if name == "places" else [])]
        after, before = (table(f, name).set_index(keys) for f in (city.converted, city.kept))
        rise = (after[value] - before[value].loc[after.index]).reset_index()
        touched = (rise["district"] == "D03-U") & rise["grade"].str.startswith("P")
        touched &= (rise["ledger"] != "all") & (rise["year"] >= 2027)
        close(rise[value], np.where(touched, 400 / 6, 0.0), f"{name} of a conversion")


def entrants(forecast: Forecast, grade: str) -> pd.Series[float]:
    rows = forecast.pupils[forecast.pupils["grade"] == grade]
    return rows.groupby("year")["pupils"].sum()


def senior_share(city: City) -> None:
    """R06: general entrants of the city are a share of those who left J3 the year before."""
    general = entrants(city.result, "S1").loc[LAUNCH + 1 :]
    graduates = entrants(city.bare, "J3").loc[general.index - 1].to_numpy()
    policy = table(city.inputs, "policy")
    share = path(indicator(policy, "senior_general_share"), general.index)
    close(general, share * graduates, "general entrants")


def senior_rest(city: City) -> None:
    """R06: vocational entrants are what is left of those who would have gone on anyway."""
    both, before = (entrants(f, "S1") + entrants(f, "V1") for f in (city.result, city.unsplit))
    close(both, before, "all senior entrants")


def city_level(city: City) -> None:
    """R18: leaves add up to the city, grade by grade, and all have its sign."""
    keys = ["grade", *RUN]
    cells = table(city.result, "balance_cells")
    cells = cells[cells["stage"].isin(SENIOR)]
    demand, places = (table(city.result, name) for name in ("demand", "places"))
    stands = places[places["stage"].isin(SENIOR)].groupby(keys)["places"].sum()
    needs = demand[demand["stage"].isin(SENIOR)].groupby(["grade", *RUN[:2]])["demand"].sum()
    gaps = cells.groupby(keys)["balance"].agg(["sum", "min", "max"])
    wanted = needs.loc[pd.MultiIndex.from_tuples([key[:3] for key in gaps.index])].to_numpy()
    close(gaps["sum"], stands.loc[gaps.index].to_numpy() - wanted, "balance of the city")
    assert not ((gaps["min"] < -1e-6) & (gaps["max"] > 1e-6)).any(), "leaves of both signs"


def rooms(city: City) -> None:
    """R07: classes are pupils over class size rounded up; rooms are 1.1 of them in S1-S3."""
    found = table(city.result, "rooms")
    size = found["grade"].map(lambda grade: CLASS.get(grade, CLASS.get(grade[0], 0)))
    classes = np.ceil(found["pupils"] / size - 1e-9)
    close(found["classes"], classes, "classes")
    factor = np.where(found["stage"] == "senior_general", 1.1, 1.0)
    close(found["rooms"], classes * factor, "rooms")


def hidden(city: City) -> None:
    """R55: pupils above the class size, band by band, in the zones and in the city."""
    bands = table(city.inputs, "class_sizes")
    size = bands["stage"].map({"primary": 45, "junior": 50, "senior_general": 50})
    size = size.fillna(bands["stage"].map({"kindergarten": 30, "senior_vocational": 45}))
    above = np.maximum(bands["pupils"] - bands["classes"] * size, 0.0)
    bands = bands.assign(above=above)
    expected = bands.groupby(["stage", "district"])["above"].sum()
    found = table(city.result, "hidden_shortage").set_index(["stage", "district"])
    close(found["hidden_shortage"].loc[expected.index], expected, "hidden in a zone")
    whole = found["hidden_shortage"].loc[[(s, "CITY") for s in dict.fromkeys(bands["stage"])]]
    close(whole, bands.groupby("stage", sort=False)["above"].sum(), "hidden in the city")


def housing(city: City) -> None:
    """R25: pupils of new housing are the dwellings above the level x their yields."""
    built = table(city.inputs, "housing").groupby(["district", "dwelling_type", "year"])
    dwellings = built["dwellings"].sum().unstack("year", fill_value=0)
    level = dwellings[range(LAUNCH - WINDOW + 1, LAUNCH + 1)].mean(axis=1)
    yields = table(city.inputs, "yields").set_index(
        ["dwelling_type", "stage", "years_since_completion"]
    )["pupils_per_dwelling"]
    stages = list(dict.fromkeys(yields.index.get_level_values("stage")))
    stage_of = {"K": "kindergarten", "P": "primary", "J": "junior"}
    keys = ["district", "year", "stage"]
    with_all, without = (
        f.pupils.assign(stage=f.pupils["grade"].str[0].map(stage_of)).groupby(keys)["pupils"].sum()
        for f in (city.result, city.bare)
    )
    expected = without.copy()
    for district, kind in dwellings.index:
        row = dwellings.loc[(district, kind)].to_dict()
        for year in (c for c in row if c > LAUNCH and row[c] > 0):
            extra = max(row[year] - level[(district, kind)], 0.0)
            for t in range(year, 2041):
                for stage in stages:
                    expected[(district, t, stage)] += extra * yields[(kind, stage, t - year)]
    assert expected.sum() > without.sum() + 1
    close(with_all, expected.loc[with_all.index], "pupils of new housing")


PLAN: dict[tuple[str, str], dict[int, float]] = {
    # Changes of public places, from projects.csv: D01-U rebuilds a school of 1,800 places in
    # 2026-2027, takes over a kindergarten of 540, and opens two junior schools of 3,000 grade by
    # grade from 2026 and 2030 beside 1,500 temporary places until 2031; D03-U gains 400 from a
    # private school and gives 900 to junior; D04-U opens 24 classes of 45 grade by grade; D07-R
    # closes 2,250.
    ("D01-U", "primary"): {2026: -1800 + 540, 2028: 1800},
    ("D01-U", "junior"): {
        **dict.fromkeys((2027, 2028, 2030, 2031), 1000),
        2026: 1000 + 1500,
        2032: 1000 - 1500,
    },
    ("D03-U", "primary"): {2027: 400, 2029: -900},
    ("D04-U", "primary"): dict.fromkeys(range(2030, 2036), 24 * 45 / 6),
    ("D07-R", "primary"): {2026: -2250},
}


def plan(city: City) -> None:
    """R31, R46: places of a year less those of the year before are what the plan brings."""
    places = table(city.result, "places").query("ledger == 'public' and plan_case == 'planned'")
    sums = places.groupby(["district", "stage", "year"])["places"].sum()
    for cell, changes in PLAN.items():
        by_year = sums[cell].diff().iloc[1:]
        expected = [changes.get(year, 0) for year in by_year.index]
        close(by_year, expected, f"plan of {' '.join(cell)}")


def zones(city: City) -> None:
    """R57: the shortage of a county adds up its zones and their grades, and nets none."""
    cells = table(city.result, "balance_cells")
    short = np.maximum(cells["demand"] - cells["places"], 0.0)
    cells = cells.assign(district=cells["district"].str[:3], short=short)
    expected = cells.groupby(["district", "stage", *RUN])["short"].sum()
    counties = table(city.result, "balance").query("level == 'county'")
    found = counties.set_index(["district", "stage", *RUN])["cell_shortfall"]
    close(found.loc[expected.index], expected, "shortage of a county")
    assert (table(city.result, "balance")["shortfall"] >= 0).all()


def tasks(city: City) -> None:
    """R11, R15: delivered are the lasting public places opened in the years of the task."""
    projects = table(city.inputs, "projects")
    opened = projects["opened"].fillna(projects["opens"])
    lasting = projects["kind"].isin(["new", "extension"]) & (projects["sector"] == "public")
    done = projects[lasting & (projects["status"] == "open") & opened.between(2022, 2025)]
    expected = done.groupby("stage")["places"].sum().to_dict()
    expected["compulsory"] = sum(expected[stage] for stage in COMPULSORY)
    assert [expected[s] for s in ("kindergarten", "compulsory")] == [15_000, 76_170]
    found = table(city.result, "tasks").set_index("stage")
    close(found["delivered"], [expected[stage] for stage in found.index], "delivered")
    close(found["ahead"], found["delivered"] - found["task"], "ahead")


WRONG = [
    # Identity, forecast, table, rows of which the first is changed, column.
    (kindergarten, "result", "demand", "ledger == 'public' and grade == 'K2'", "demand"),
    (kindergarten, "result", "demand", "ledger == 'inclusive' and grade == 'K1'", "demand"),
    (kindergarten, "result", "balance", "stage == 'kindergarten' and level == 'zone'", "balance"),
    (compulsory, "result", "demand", "ledger == 'public' and grade == 'P3'", "demand"),
    (compulsory, "result", "demand", "ledger == 'public_with_purchased'", "demand"),
    (compulsory, "result", "pupils", "year == 2030 and grade == 'J2'", "pupils"),
    (private_cap, "result", "demand", "AT_CAP and ledger == 'public' and grade == 'J1'", "pupils"),
    (conversion, "converted", "demand", "year == 2028 and ledger == 'public'", "demand"),
    (conversion, "converted", "places", "year == 2028 and ledger == 'public'", "places"),
    (senior_share, "result", "pupils", "year == 2030 and grade == 'S1'", "pupils"),
    (senior_share, "bare", "pupils", "year == 2030 and grade == 'J3'", "pupils"),
    (senior_rest, "result", "pupils", "year == 2030 and grade == 'V1'", "pupils"),
    (city_level, "result", "balance_cells", "year == 2030 and grade == 'S2'", "balance"),
    (city_level, "result", "places", "year == 2030 and grade == 'V2'", "places"),
    (rooms, "result", "rooms", "year == 2030 and grade == 'J2'", "classes"),
    (rooms, "result", "rooms", "year == 2030 and grade == 'S2'", "rooms"),
    (hidden, "result", "hidden_shortage", "district == 'D01-U'", "hidden_shortage"),
    (hidden, "result", "hidden_shortage", "district == 'CITY'", "hidden_shortage"),
    (housing, "result", "pupils", "district == 'D08-U' and grade == 'P4'", "pupils"),
    (plan, "result", "places", "PLANNED and district == 'D04-U' and grade == 'P6'", "places"),
    (zones, "result", "balance", "level == 'county' and cell_shortfall > 0", "cell_shortfall"),
    (zones, "result", "balance_cells", "places < demand", "places"),
    (tasks, "result", "tasks", "stage == 'junior'", "delivered"),
]
SHORT = {
    "AT_CAP": "year == 2030 and district == 'D04-U'",
    "PLANNED": "year == 2033 and ledger == 'public' and plan_case == 'planned'",
}
IDENTITIES = list(dict.fromkeys(row[0] for row in WRONG))


@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_identities_hold(city: City, identity: Callable[[City], None]) -> None:
    """R01, R02, R05, R06, R07, R11, R15, R18, R25, R31, R46, R55, R57: one function for each."""
    identity(city)


@pytest.mark.parametrize(("identity", "forecast", "name", "rows", "column"), WRONG)
def test_an_identity_fails_where_one_cell_is_changed(
    city: City,
    identity: Callable[[City], None],
    forecast: str,
    name: str,
    rows: str,
    column: str,
) -> None:
    for word, query in SHORT.items():
        rows = rows.replace(word, query)
    wrong = table(getattr(city, forecast), name).copy()
    wrong.loc[wrong.query(rows).index[0], column] -= 1.0
    changes: dict[str, Any] = {name: wrong}
    both: dict[str, Any] = {forecast: replace(getattr(city, forecast), **changes)}
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different|above its cap"):
        identity(replace(city, **both))
