# %% [markdown]
# # How accurate would it have been in your district?
#
# A back-test makes the forecast again from past years, with only what was known then, and sets it
# against the pupils that came. The naive model (last year's pupils move up, entrants as last year)
# always runs beside the others: a model that does not beat it is not worth its trouble.
#
# To use your own region, set `PLACEFORECAST_REGION` to its folder before you start.

# %%
import os

import placeforecast as pf

folder = os.environ.get("PLACEFORECAST_REGION")
inputs = pf.read_inputs(folder) if folder else pf.load_example("city")

# %%
last = int(inputs.enrolment["year"].max())
errors = pf.backtest(inputs, launch_years=[last - 3, last - 2], horizon=2)
print(errors.columns.tolist())

# %% [markdown]
# `ape` is the absolute error over what came; rows with a blank grade hold a whole stage. Errors
# grow with the lead (提前年数), so leads are never averaged together.

# %%
stages = errors[errors["grade"] == ""]
table = stages.groupby(["lead", "stage", "model"])["ape"].mean().unstack("model")
print((100 * table).round(2).to_string())

# %%
best = 100 * stages.query("lead == 1").groupby("model")["ape"].mean()
model = inputs.settings.run.model
print(f"Mean error of a district's stage one year ahead, model {model}: {best[model]:.2f} %")
