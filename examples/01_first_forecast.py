# %% [markdown]
# # A first forecast
#
# The example city (示例市) is synthetic: eight districts of an invented city, with births, pupils
# by grade, places and a construction plan. The forecast turns them into places short or idle
# (学位缺口 and 学位富余) by district, stage and school year.

# %%
import placeforecast as pf

inputs = pf.load_example("city")
result = pf.forecast(inputs, horizon=10)

# %% [markdown]
# `balance` is places less demand. Here: junior schools (初中) of the whole city, public places only
# (公办), with every project of the plan that is not cancelled.

# %%
junior = result.balance.query(
    "district == 'CITY' and stage == 'junior' and ledger == 'public' and plan_case == 'planned'"
)
columns = ["year", "demand", "places", "balance", "cell_shortfall"]
print(junior[columns].round().to_string(index=False))

# %% [markdown]
# The net balance hides what does not fit: a spare place in a village does not serve the city.
# `cell_shortfall` adds up what is short in each district and grade by itself.

# %%
short = junior.set_index("year")["cell_shortfall"]
print(f"Most junior places short in districts and grades: {short.max():.0f} in {short.idxmax()}")
