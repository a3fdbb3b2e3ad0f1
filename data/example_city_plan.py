"""The construction plan of ``data/example_city``: invented projects, their money and their land."""

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from example_city_region import FIRST_PLACES_YEAR, GRADES


@dataclass(frozen=True)
class Project:
    """One row of the construction plan; the fields are the columns, blank where empty."""

    project: str
    stage: str
    district: str
    sector: str
    places: int | str
    kind: str
    status: str
    opens: str = ""
    starts: str = ""
    opened: str = ""
    closes: str = ""
    outage_from: str = ""
    outage_to: str = ""
    from_stage: str = ""
    batch: str = ""
    phase_in: str = ""
    classes: int | str = ""
    from_sector: str = ""


TASK_BATCH, NEXT_BATCH = "2022—2025任务", "2026—2030规划"


def delivered(name: str, place: tuple[str, str], places: int, kind: str, when: str) -> Project:
    """Return a public project that is open.

    Parameters
    ----------
    name : str
        Name without the batch.
    place : tuple of str
        Stage and zone.
    places, kind
        As in `Project`.
    when : str
        Planned and actual first school year or date, as ``"2022 2023"``.
    """
    opens, opened = when.split()
    starts = str(int(opens[:4]) - 2)
    return Project(name, *place, "public", places, kind, "open", opens, starts, opened,
                   batch=TASK_BATCH)  # fmt: skip


def expected(name: str, place: tuple[str, str], places: int, how: str, opens: str) -> Project:
    """Return a public new building or extension that is still to open.

    Parameters
    ----------
    name, place, places
        As in `delivered`.
    how : str
        Kind, status and phase-in, as ``"new approved by_grade"``.
    opens : str
        Planned first school year or date.
    """
    kind, status, phase_in = how.split()
    begun = status in ("under_construction", "delayed")
    starts = str(max(int(opens[:4]) - 2, FIRST_PLACES_YEAR)) if begun else ""
    batch = TASK_BATCH if status in ("delayed", "cancelled") else NEXT_BATCH
    return Project(name, *place, "public", places, kind, status, opens, starts, batch=batch,
                   phase_in=phase_in)  # fmt: skip


K, P, J, S, V = GRADES
DELIVERED = (
    delivered("澄湖区小学扩容工程2022批", (P, "D01-U"), 5400, "extension", "2022 2022"),
    delivered("澄湖区小学扩容工程2023批", (P, "D01-U"), 6300, "extension", "2023 2023"),
    delivered("澄湖区第三小学新建", (P, "D01-U"), 2160, "new", "2023-09-01 2024-09-01"),
    delivered("南堤区小学扩容工程", (P, "D02-U"), 4500, "extension", "2023 2023"),
    delivered("南堤区滨河小学新建", (P, "D02-U"), 2160, "new", "2024 2025"),
    delivered("云汀区城区小学新建工程", (P, "D03-U"), 3240, "new", "2022 2023"),
    delivered("青禾县第五小学新建", (P, "D04-U"), 1620, "new", "2024 2024"),
    delivered("石坞县实验小学扩建", (P, "D05-U"), 1350, "extension", "2023 2023"),
    delivered("望溪县第二小学新建", (P, "D06-U"), 1620, "new", "2023 2024"),
    delivered("启晨新区第一实验小学新建", (P, "D08-U"), 2700, "new", "2022 2022"),
    delivered("启晨新区第二实验小学新建", (P, "D08-U"), 2700, "new", "2023 2023"),
    delivered("启晨新区第三实验小学新建", (P, "D08-U"), 2700, "new", "2024 2025-09-01"),
    delivered("澄湖区镇区小学扩容工程", (P, "D01-T"), 3600, "extension", "2023 2023"),
    delivered("南堤区镇区小学扩容工程", (P, "D02-T"), 2250, "extension", "2023 2024"),
    delivered("云汀区镇区小学扩容工程", (P, "D03-T"), 1800, "extension", "2024 2024"),
    delivered("青禾县镇区小学扩容工程", (P, "D04-T"), 2250, "extension", "2022 2023"),
    delivered("启晨新区镇区小学新建", (P, "D08-T"), 1620, "new", "2023 2023"),
    delivered("青禾县乡村寄宿制小学改扩建", (P, "D04-R"), 1800, "extension", "2023 2023"),
    delivered("澄湖区初中扩容工程2023批", (J, "D01-U"), 6000, "extension", "2023 2023"),
    delivered("澄湖区初中扩容工程2025批", (J, "D01-U"), 4000, "extension", "2025 2025"),
    delivered("南堤区第二中学初中部扩建", (J, "D02-U"), 2700, "extension", "2023 2024"),
    delivered("云汀区初中新建工程", (J, "D03-U"), 1800, "new", "2022 2022"),
    delivered("青禾县第三初级中学新建", (J, "D04-U"), 1500, "new", "2023 2024"),
    delivered("石坞县初中扩建", (J, "D05-U"), 1200, "extension", "2024 2024"),
    delivered("启晨新区第一初级中学新建", (J, "D08-U"), 2400, "new", "2022 2023"),
    delivered("启晨新区第二初级中学新建", (J, "D08-U"), 1800, "new", "2025-09-01 2025-09-01"),
    delivered("澄湖区镇区初中扩容工程", (J, "D01-T"), 2000, "extension", "2023 2023"),
    delivered("南堤区镇区初中扩容工程", (J, "D02-T"), 1500, "extension", "2024 2025"),
    delivered("青禾县镇区初中扩容工程", (J, "D04-T"), 1500, "extension", "2023 2023"),
    delivered("市第一高级中学扩建", (S, "D01-U"), 3000, "extension", "2023 2023"),
    delivered("市第五高级中学新建", (S, "D01-U"), 3000, "new", "2024 2025"),
    delivered("南堤区高级中学扩建", (S, "D02-U"), 1800, "extension", "2024 2024"),
    delivered("启晨新区高级中学新建", (S, "D08-U"), 3000, "new", "2023 2024"),
    delivered("澄湖区公办幼儿园新建工程", (K, "D01-U"), 2700, "new", "2022 2023"),
    delivered("启晨新区公办幼儿园新建工程", (K, "D08-U"), 1800, "new", "2023 2023"),
    delivered("全域镇区幼儿园工程·青禾县", (K, "D04-T"), 1200, "new", "2023 2023"),
    delivered("全域镇区幼儿园工程·云汀区", (K, "D03-T"), 1200, "new", "2023 2024"),
    delivered("一村一幼工程·青禾县", (K, "D04-R"), 2400, "extension", "2022 2022"),
    delivered("一村一幼工程·石坞县", (K, "D05-R"), 2100, "extension", "2022 2023"),
    delivered("一村一幼工程·望溪县", (K, "D06-R"), 1800, "extension", "2023 2023"),
    delivered("一村一幼工程·松坪县", (K, "D07-R"), 1800, "extension", "2023 2024"),
)
EXPECTED = (
    expected("澄湖区第八初级中学新建", (J, "D01-U"), 3000, "new under_construction by_grade",
             "2026-09-01"),
    expected("澄湖区第十初级中学新建", (J, "D01-U"), 3000, "new proposed by_grade", "2030"),
    expected("南堤区第六初级中学新建", (J, "D02-U"), 1800, "new under_construction by_grade",
             "2027"),
    expected("云汀区实验中学初中部扩建", (J, "D03-U"), 900, "extension approved all", "2028"),
    expected("青禾县第四初级中学新建", (J, "D04-U"), 1200, "new delayed by_grade", "2027"),
    expected("启晨新区第三初级中学新建", (J, "D08-U"), 2400, "new approved by_grade", "2028"),
    expected("启晨新区第四实验小学新建", (P, "D08-U"), 2700, "new under_construction by_grade",
             "2026-09-01"),
    expected("启晨新区东片小学群新建", (P, "D08-U"), 5400, "new proposed by_grade", "2029"),
    expected("石坞县第四小学新建", (P, "D05-U"), 1620, "new delayed all", "2026"),
    expected("望溪县第六小学新建", (P, "D06-U"), 1620, "new cancelled all", "2027"),
    expected("市第七高级中学新建", (S, "D01-U"), 3000, "new under_construction by_grade",
             "2027-09-01"),
    expected("南堤区第二高级中学新建", (S, "D02-U"), 2400, "new approved by_grade", "2028"),
    expected("望溪县高级中学扩建", (S, "D06-U"), 900, "extension delayed all", "2026"),
    expected("启晨新区第二高级中学新建", (S, "D08-U"), 3000, "new proposed by_grade", "2031"),
    replace(
        expected("市中等职业学校扩建", (V, "D01-U"), 1800, "extension approved all", "2027"),
        starts="2026",
    ),
    expected("启晨新区第九幼儿园新建", (K, "D08-U"), 540, "new delayed all", "2026"),
    expected("南堤区镇区幼儿园新建工程", (K, "D02-T"), 1200, "new cancelled all", "2026"),
)  # fmt: skip
OTHER_PROJECTS = (
    Project("云汀区民办高级中学新建", S, "D03-U", "private", 1500, "new", "approved", "2027",
            batch=NEXT_BATCH, phase_in="by_grade"),
    Project("澄湖区镇区普惠幼儿园新建", K, "D01-T", "private_inclusive", 360, "new", "cancelled",
            "2026", batch=TASK_BATCH),
    Project("澄湖区中心小学原址重建", P, "D01-U", "public", 1800, "rebuild", "under_construction",
            "2028", "2026", outage_from="2026", outage_to="2027", batch=NEXT_BATCH),
    Project("望溪县镇区初级中学原址重建", J, "D06-T", "public", 900, "rebuild", "approved",
            "2028-09-01", outage_from="2027-07-01", outage_to="2028-08-20", batch=NEXT_BATCH),
    Project("石坞县镇区中心幼儿园装修改造", K, "D05-T", "public", 360, "refit", "approved",
            "2027", outage_from="2026", outage_to="2026", batch=NEXT_BATCH),
    Project("澄湖区东苑幼儿园改办小学", P, "D01-U", "public", 540, "conversion", "approved",
            "2026-09-01", from_stage=K, batch=NEXT_BATCH),
    Project("云汀区城西小学改办初中", J, "D03-U", "public", 900, "conversion", "proposed",
            "2029", from_stage=P, batch=NEXT_BATCH),
    Project("南堤区初中过渡学位", J, "D02-U", "public", 900, "temporary", "open",
            "2024", "2024", "2024", "2029", batch=TASK_BATCH),
    Project("澄湖区初中过渡学位", J, "D01-U", "public", 1500, "temporary", "under_construction",
            "2026-09-01", "2026", closes="2032", batch=NEXT_BATCH),
    Project("启晨新区初中过渡学位", J, "D08-U", "public", 900, "temporary", "approved",
            "2027", closes="2033-08-31", batch=NEXT_BATCH),
    Project("松坪县乡村教学点撤并2024批", P, "D07-R", "public", 900, "closure", "open",
            closes="2024", batch=TASK_BATCH),
    Project("青禾县乡村幼儿园撤并2025批", K, "D04-R", "public", 450, "closure", "open",
            closes="2025", batch=TASK_BATCH),
    Project("松坪县乡村小学撤并2026批", P, "D07-R", "public", 2250, "closure", "approved",
            closes="2026", batch=NEXT_BATCH),
    Project("望溪县乡村小学撤并2027批", P, "D06-R", "public", 1800, "closure", "approved",
            closes="2027-08-31", batch=NEXT_BATCH),
    Project("石坞县乡村初中撤并2028批", J, "D05-R", "public", 900, "closure", "proposed",
            closes="2028", batch=NEXT_BATCH),
    Project("松坪县乡村幼儿园撤并2026批", K, "D07-R", "public", 600, "closure", "approved",
            closes="2026", batch=NEXT_BATCH),
    Project("云汀区民办幼儿园停办", K, "D03-U", "private", 180, "closure", "approved",
            closes="2026", batch=NEXT_BATCH),
)  # fmt: skip
# Projects that came last, so that the money and land drawn for those above stay as they are.
LATER_PROJECTS = (
    Project("云汀区民办小学转为公办", P, "D03-U", "public", 400, "conversion", "approved", "2027",
            from_sector="private", batch=NEXT_BATCH),
    Project("松坪县村级幼儿园设备购置", K, "D07-R", "public", "", "equipment", "approved", "2026",
            batch=NEXT_BATCH),
    Project("青禾县第六小学新建", P, "D04-U", "public", "", "new", "proposed", "2030",
            batch=NEXT_BATCH, phase_in="by_grade", classes=24),
)  # fmt: skip
PROJECTS = (*DELIVERED, *EXPECTED, *OTHER_PROJECTS, *LATER_PROJECTS)

# Land and plot of new schools that are not open yet; the plots are invented.
LAND_STATUS = {
    "澄湖区第八初级中学新建": ("allocated", "澄湖-2024-07"),
    "澄湖区第十初级中学新建": ("reserved", "澄湖-2027-02"),
    "南堤区第六初级中学新建": ("allocated", "南堤-2024-03"),
    "青禾县第四初级中学新建": ("title_issue", "青禾-2022-11"),
    "启晨新区第三初级中学新建": ("allocated", "启晨-2025-04"),
    "启晨新区第四实验小学新建": ("allocated", "启晨-2024-01"),
    "启晨新区东片小学群新建": ("reserved", "启晨-2026-09"),
    "石坞县第四小学新建": ("allocated", "石坞-2023-05"),
    "市第七高级中学新建": ("allocated", "澄湖-2024-12"),
    "南堤区第二高级中学新建": ("reserved", "南堤-2025-08"),
    "启晨新区第二高级中学新建": ("reserved", "启晨-2027-06"),
    "启晨新区第九幼儿园新建": ("mixed_use", "启晨-2023-10"),
    "云汀区民办高级中学新建": ("reserved", "云汀-2025-02"),
    "青禾县第六小学新建": ("reserved", "青禾-2027-01"),
}

# Yuan per place and square metres of land per place: county, large city (README.md).
COST = {
    "kindergarten": (60_000, 95_000),
    "primary": (58_000, 155_000),
    "junior": (70_000, 175_000),
    "senior_general": (180_000, 240_000),
    "senior_vocational": (170_000, 200_000),
}
LAND = {
    "kindergarten": 15.5,
    "primary": 12.8,
    "junior": 15.0,
    "senior_general": 22.0,
    "senior_vocational": 25.0,
}
COST_BY_KIND = {"new": 1.0, "extension": 0.6, "rebuild": 0.8, "refit": 0.15, "conversion": 0.15,
                "temporary": 0.2}  # fmt: skip
LAND_BY_KIND = {"new": 1.0, "extension": 0.3, "temporary": 0.5}
LARGE_CITY_ZONES = ("D01-U", "D02-U", "D08-U")


PRIMARY_CLASS = 45
EQUIPMENT_COST = {"松坪县村级幼儿园设备购置": 3_600_000}
COLUMNS = ("project", "stage", "district", "sector", "places", "classes", "kind", "status",
           "opens", "starts", "opened", "closes", "outage_from", "outage_to", "from_stage",
           "from_sector", "batch", "phase_in", "cost", "land_area", "land_status",
           "plot")  # fmt: skip


def make_projects(rng: np.random.Generator) -> pd.DataFrame:
    """Write the plan as rows and add money and land, blank where none is needed."""
    rows: list[dict[str, str | int]] = []
    for project in PROJECTS:
        large = project.district in LARGE_CITY_ZONES
        places = int(project.places or 0) or int(project.classes or 0) * PRIMARY_CLASS
        unit = COST[project.stage][large] * COST_BY_KIND.get(project.kind, 0)
        area = LAND[project.stage] * LAND_BY_KIND.get(project.kind, 0)
        price, room = rng.uniform(0.9, 1.1, 2)
        cost = int(round(places * unit * price, -4)) or EQUIPMENT_COST.get(project.project, 0)
        land = int(round(places * area * room, -2))
        status, plot = LAND_STATUS.get(project.project, ("", ""))
        own = {"cost": cost or "", "land_area": land or "", "land_status": status, "plot": plot}
        rows.append(asdict(project) | own)
    return pd.DataFrame(rows)[list(COLUMNS)]
