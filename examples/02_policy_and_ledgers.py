# %% [markdown]
# # Policy and ledgers
#
# Plans count *public* places (公办学位), so demand is kept in ledgers that are never mixed:
# `all`, `public`, `inclusive` (普惠性幼儿园) and `public_with_purchased` (含购买学位). What policy
# sets is a table of rows, and each row changes the figures in a way that can be seen.

# %%
from dataclasses import replace

import placeforecast as pf

inputs = pf.load_example("city")
assumptions = pf.estimate(inputs, horizon=5)
result = pf.forecast(inputs, assumptions=assumptions, horizon=5)

# %% [markdown]
# ## Ledgers of the kindergartens
#
# The public share rises to 60 % by 2027, so public demand falls more slowly than that of all.

# %%
kindergarten = result.stages.query("district == 'CITY' and stage == 'kindergarten'")
print(kindergarten.pivot(index="year", columns="ledger", values="demand").round().to_string())

# %% [markdown]
# ## Children of migrants (随迁子女)
#
# Pupils are counted by residence, and `migrant_public_share` says how many migrants have a public
# or purchased place. Without its rows they keep the share that was counted.

# %%
policy = assumptions.policy
counted = policy[policy["indicator"] != "migrant_public_share"]
without = pf.demand_places(
    result.pupils.drop(columns="scenario"),
    replace(assumptions, policy=counted),
    grades=inputs.grades,
)
last = result.last_year
public = f"year == {last} and stage == 'primary' and ledger == 'public'"
more = result.demand.query(public)["demand"].sum() - without.query(public)["demand"].sum()
print(f"Public primary places that the migrant share asks for in {last}: {more:.0f}")

# %% [markdown]
# ## General and vocational senior schools (普职分流)
#
# `senior_general_share` sets which part of the junior graduates enters general senior schools.

# %%
free = policy[~policy["indicator"].isin(["senior_general_share", "senior_mode"])]
natural = pf.project_enrolment(
    result.children.drop(columns="scenario"),
    inputs.enrolment,
    replace(assumptions, policy=free),
    grades=inputs.grades,
)
for grade in ("S1", "V1"):
    entrants = f"year == {last} and grade == '{grade}'"
    with_policy = result.pupils.query(entrants)["pupils"].sum()
    print(
        f"{grade} in {last}: {with_policy:.0f}, {natural.query(entrants)['pupils'].sum():.0f} "
        "without the policy"
    )

# %% [markdown]
# ## Task numbers (任务数)
#
# Places that a higher authority has ordered, beside what the plan holds, what stands, and what the
# forecast says is needed.

# %%
tasks = result.tasks
columns = ["district", "stage", "of", "year_to", "task", "planned", "delivered", "needed"]
print(tasks[columns].round().to_string(index=False))

# %%
ordered = tasks.query("of == stage and stage == 'compulsory'").iloc[0]
done = ordered["delivered"] / ordered["task"]
print(f"Compulsory places delivered of those ordered: {100 * done:.1f} %")
