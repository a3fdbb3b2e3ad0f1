# %% [markdown]
# # Is the plan enough?
#
# The plan (建设项目) is judged from both sides: what stays short in each district, and what each
# project is for.

# %%
import placeforecast as pf
from placeforecast.rounds.explain import explain

inputs = pf.load_example("city")
result = pf.forecast(inputs, horizon=10)
review = pf.review_plan(result)

# %% [markdown]
# ## Districts
#
# `uncovered` is the most that is short, not netted; `start_by` the last year in which a project can
# still begin; `permanent_or_temporary` whether the need lasts long enough to build for.

# %%
leaves = inputs.districts.query("level == 'zone'")["district"]
short = review.districts.query("ledger == 'public' and stage == 'junior' and uncovered > 0")
short = short[short["district"].isin(leaves)].sort_values("uncovered", ascending=False)
columns = ["district", "uncovered", "uncovered_year", "start_by", "permanent_or_temporary"]
print(short[columns].head(8).to_string(index=False))

# %% [markdown]
# ## Projects
#
# Those of which less than 80 % is ever used, the least used first.

# %%
projects = review.projects
columns = ["project", "stage", "opens", "never_needed", "peak_use", "share_in_use"]
large = projects.query("too_large").sort_values("peak_use")
print(large[columns].head(8).round(2).to_string(index=False))

# %% [markdown]
# ## Relief
#
# Some of what is short can be moved to neighbours (跨区调剂) within the limits of `neighbours`:
# what is left after that is a true shortage, not a mismatch.

# %%
city = "district == 'CITY' and stage == 'junior' and ledger == 'public' and plan_case == 'planned'"
relief = result.relief.query(city)
columns = ["year", "shortfall", "after_transfers", "cell_shortfall"]
print(relief[columns].round().to_string(index=False))

# %% [markdown]
# ## Checks of the plan itself

# %%
print(result.plan_checks[["project", "stage", "check", "finding"]].head(8).to_string(index=False))

# %% [markdown]
# ## Why is that so?
#
# Every figure can be taken apart into terms, each with the table and the rows it rests on.

# %%
district, year = short["district"].iloc[0], result.launch_year + 3
terms = explain(result, district, "junior", year)
print(terms.to_string(index=False))
print(f"Junior places of {district}, balance of {year}: {terms['value'].iloc[-1]:.1f}")
