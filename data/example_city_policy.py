"""Policy, standards, transfers, events and neighbours of ``data/example_city``."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from example_city_means import ALLOWANCE
from example_city_region import COUNTIES, GRADES, LAST_YEAR, STAGE_OF, ZONE_TYPES, points

INVENTED = "invented for the example"
MEASURED = "derived from enrolment.csv"

# ---------------------------------------------------------------------------------------------
# Policy
# ---------------------------------------------------------------------------------------------

EXPANSION = "扩优提质 plan (2023): 60 % of kindergarten children in public ones by 2027"
INCLUSIVE = "above the 91.61 % of children of the nation in 2024"
RETENTION = "a county's 14th five-year plan: at least 98 %"
MIGRANTS = "assumed; 优质均衡 asks for at least 85 % in public or purchased places"
CAP = "2021 norm: 5 % of a province, 15 % of a county; here 5 % of each zone (assumed)"
GENERAL = "Guangdong's announced path: 70 % of junior graduates by 2030"
ALLOWED = (
    "basic allowance of a school, without salaries; senior stages a local example",
    "assumed",
)
MODE = "assumed: the share is kept and places follow"

Row = tuple[str, str, str, str, int, float | str, str, str, str]


def share_in(rows: pd.DataFrame, sectors: Sequence[str]) -> float:
    """Return the share of the pupils that are in some sectors."""
    inside = rows.loc[rows["sector"].isin(sectors), "pupils"].sum()
    return float(inside / rows["pupils"].sum())


def highest_private_share(latest: pd.DataFrame) -> float:
    """Return the highest private share of the compulsory pupils of a zone, rounded up to 0.01."""
    compulsory = latest[latest["stage"].isin(["primary", "junior"])]
    private = compulsory[compulsory["sector"] == "private"].groupby("district")["pupils"].sum()
    share = private / compulsory.groupby("district")["pupils"].sum()
    return float(np.ceil(share.max() * 100) / 100)


def policy_rows(enrolment: pd.DataFrame) -> Iterator[Row]:
    """Give each path as it stands in 2025 and where it is to lead."""
    latest = enrolment[enrolment["year"] == LAST_YEAR]
    latest = latest.assign(stage=latest["grade"].map(STAGE_OF))
    kindergarten = latest[latest["stage"] == "kindergarten"]
    for indicator, sectors, target, source, trust in (
        ("public_share", ("public",), 0.60, EXPANSION, "read"),
        ("inclusive_share", ("public", "private_inclusive"), 0.93, INCLUSIVE, "assumed"),
    ):
        for zone, rows in kindergarten.groupby("district"):
            now = round(share_in(rows, sectors), 3)
            at = (indicator, str(zone), "kindergarten", "")
            yield (*at, LAST_YEAR, now, "children", MEASURED, "derived")
            # A zone that is above the target already keeps its share.
            yield (*at, 2027, max(target, now), "children", source, trust)
    for stage in ("primary", "junior"):
        migrants = latest[(latest["stage"] == stage) & (latest["residence"] == "migrant")]
        now = round(share_in(migrants, ("public", "purchased")), 3)
        at = ("migrant_public_share", "", stage, "migrant")
        yield (*at, LAST_YEAR, now, "children", MEASURED, "derived")
        yield (*at, 2030, 0.95, "children", MIGRANTS, "assumed")
    most = f"{MEASURED}: the highest share of a zone, so that nothing is cut at the start"
    cap = ("private_cap", "", "compulsory", "")
    yield (*cap, LAST_YEAR, highest_private_share(latest), "children", most, "derived")
    yield (*cap, 2027, 0.05, "children", CAP, "assumed")
    yield from senior_rows(enrolment)
    yield ("retention_9", "", "compulsory", "", LAST_YEAR, 0.98, "entrants", RETENTION, "read")


def senior_rows(enrolment: pd.DataFrame) -> Iterator[Row]:
    """Give the general share of junior graduates from that of the city in 2025."""
    by_year = enrolment.groupby(["grade", "year"])["pupils"].sum()
    entrants, graduates = GRADES["senior_general"][0], GRADES["junior"][-1]
    now = round(by_year[entrants, LAST_YEAR] / by_year[graduates, LAST_YEAR - 1], 3)
    at = ("senior_general_share", "", "senior_general", "")
    yield (*at, LAST_YEAR, float(now), "graduates", MEASURED, "derived")
    yield (*at, 2030, 0.70, "graduates", GENERAL, "read")
    yield ("senior_mode", "", "senior_general", "", LAST_YEAR, "share", "", MODE, "assumed")


def make_policy(enrolment: pd.DataFrame) -> pd.DataFrame:
    """Return the paths of policy; a blank district holds for every zone."""
    columns = ["indicator", "district", "stage", "residence", "year", "value", "basis", "source",
               "confidence"]  # fmt: skip
    return pd.DataFrame(policy_rows(enrolment), columns=columns)


def make_standards() -> pd.DataFrame:
    """Return what the city sets beside the shipped standards."""
    pooled = "a city's plan: senior schools are planned by the city"
    rooms = "assumed: no national figure was found; 1.1 and 1.2 are used as scenarios"
    rows = [
        ("senior_general", "planned_at", "city", pooled, "read"),
        ("senior_vocational", "planned_at", "city", pooled, "read"),
        ("senior_general", "elective_room_factor", 1.1, rooms, "assumed"),
        *((stage, "recurrent_per_pupil", yuan, *ALLOWED) for stage, yuan in ALLOWANCE.items()),
    ]
    return pd.DataFrame(rows, columns=["stage", "indicator", "value", "source", "confidence"])


# ---------------------------------------------------------------------------------------------
# Moves: transfers, neighbours, events
# ---------------------------------------------------------------------------------------------

# Share of the junior pupils of a rural zone who come to attend in the county town.
RURAL_TO_URBAN = {"D05": 0.010, "D06": 0.015, "D07": 0.020}
# Urban zones close enough for a bus, and the most pupils that can be moved each way.
BETWEEN_COUNTIES = (("D01-U", "D02-U", 300), ("D01-U", "D08-U", 300), ("D02-U", "D08-U", 150))
WITHIN_COUNTY = {"UT": 400, "TR": 200}
KM_PER_DEGREE = 111.2


def make_transfers() -> pd.DataFrame:
    """Return moves on top of those that the ratios hold, the same in every year."""
    rows = [
        (f"{county}-R", f"{county}-U", "junior", share, INVENTED, "assumed")
        for county, share in RURAL_TO_URBAN.items()
    ]
    return pd.DataFrame(rows, columns=["from", "to", "stage", "share", "source", "confidence"])


def distance(one: str, other: str) -> float:
    """Return kilometres between two zones, as the crow flies."""
    (east, north), (there_east, there_north) = points()[one], points()[other]
    width = (east - there_east) * np.cos(np.radians((north + there_north) / 2))
    return float(round(KM_PER_DEGREE * np.hypot(width, north - there_north), 1))


def make_neighbours() -> pd.DataFrame:
    """Return pairs of zones, both ways, between which pupils can be moved."""
    pairs = [
        (f"{county.code}-{one}", f"{county.code}-{other}", WITHIN_COUNTY[one + other])
        for county in COUNTIES
        for one, other in pairwise(ZONE_TYPES)
    ]
    rows = [
        (start, end, distance(start, end), limit)
        for one, other, limit in (*pairs, *BETWEEN_COUNTIES)
        for start, end in ((one, other), (other, one))
    ]
    return pd.DataFrame(rows, columns=["from", "to", "distance", "limit"])


def make_events() -> pd.DataFrame:
    """Return a rise of the last kindergarten grade for two years, and one dated arrival."""
    free = "free last kindergarten year since autumn 2025; the effect is assumed"
    rows = [
        ("免费学前一年", 2026, 2027, "", "kindergarten", "K3", "entry", 1.01, free, "assumed"),
        ("易地搬迁", 2027, 2027, "D05-T", "primary", "", "arrivals", 600, INVENTED, "assumed"),
    ]
    columns = ["event", "year_from", "year_to", "district", "stage", "grade", "channel", "effect",
               "source", "confidence"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns, dtype=object)
