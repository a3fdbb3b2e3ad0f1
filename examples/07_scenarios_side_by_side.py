# %% [markdown]
# # Scenarios side by side
#
# What if births stay lower, the plan comes late, or everybody stays in school? (情景对比) Three
# scenarios that come with the library and one of our own run beside the baseline. A scenario is a
# table of changes: which table, which rows, and by what to multiply, what to add or what to set.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import placeforecast as pf
from placeforecast.scenarios.choose import shipped_scenarios

inputs = pf.load_example("city")
known = shipped_scenarios(inputs.settings.school_system)
shipped = known[known["scenario"].isin(["births_low", "plan_two_years_late", "class_of_35"])]
own = pd.DataFrame(
    {
        "scenario": "fewer_leave",
        "table": ["progression", "projects"],
        "column": ["ratio", "opens"],
        "stage": ["junior", "junior"],
        "status": [None, "approved"],
        "multiply": [1.01, None],
        "add": [None, 1],
    }
)
result = pf.forecast(inputs, scenarios=pd.concat([shipped, own]), horizon=5)

# %% [markdown]
# The balance of each, and what it differs from the baseline by. Smaller classes make places scarce
# at once; fewer births do not reach junior schools within five years.

# %%
cell = {"district": "CITY", "stage": "junior", "year": 2028}
table = pf.compare_scenarios(result, **cell)
print(table[["scenario", "demand", "places", "balance", "change"]].round().to_string(index=False))

# %%
pf.plot.scenarios(result, "CITY", "junior", ax=plt.figure(figsize=(8, 4)).subplots())
# %% [markdown]
# ## Why do two of them differ?
#
# Our own scenario changes two things. Each has the mean of what it changes over both orders, and
# nothing is left over.

# %%
steps = pf.attribute_scenarios(result, "baseline", "fewer_leave", **cell)
balance = steps.query("value == 'balance' and abs(change) > 1e-6")
print(balance[["step", "from", "change", "to"]].round(1).to_string(index=False))

# %%
pf.plot.waterfall(steps, **cell, ax=plt.figure(figsize=(8, 2.5)).subplots())
# %% [markdown]
# ## What does the figure hang on?
#
# Each driver alone, from low to high. The ranges come with the library, each with its source and
# how sure it is; a table of your own takes their place.

# %%
swings = pf.tornado(result, **cell)
columns = ["driver", "low_change", "low", "high_change", "high", "swing"]
print(swings[columns].round().to_string(index=False))

# %%
pf.plot.tornado(swings, ax=plt.figure(figsize=(8, 4)).subplots())
# %%
first = swings.iloc[0]
print(f"Most hangs on {first['driver']}: places between low and high {first['swing']:.0f}")
