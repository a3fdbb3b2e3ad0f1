# %% [markdown]
# # The annual round
#
# Every year a forecast is made, frozen, and a year later scored and compared with the next one
# (年度预测存档、评估与对比). Here the rounds of 2024 and 2025 are made from the same tables, each
# with what was known at its launch: a warning names the births that were not yet published.

# %%
import tempfile
from pathlib import Path

import placeforecast as pf
from placeforecast.rounds.compare import compare_rounds
from placeforecast.rounds.freeze import freeze_round
from placeforecast.rounds.read import read_round
from placeforecast.rounds.score import score_round

inputs = pf.load_example("city")
rounds = {}
with tempfile.TemporaryDirectory() as folder:
    for launch in (2024, 2025):
        result = pf.forecast(inputs, launch_year=launch, horizon=2027 - launch)
        frozen = freeze_round(result, Path(folder) / str(launch))
        rounds[launch] = read_round(frozen)

# %% [markdown]
# A frozen round is a folder of text: inputs, assumptions, results, settings and a fingerprint of
# each file. One that was changed by hand is refused when it is read.
#
# ## How good was last year's round?
#
# Bias above 0 is a forecast that was too high. The miss of the region is split into its causes.

# %%
score = score_round(rounds[2024], inputs)
print(score.summary.round(4).to_string(index=False))
print(score.split.round().to_string(index=False))

# %% [markdown]
# ## Why is this year's figure another one?
#
# Each driver has the mean of what it changes over all orders, so no order has to be chosen.

# %%
steps = compare_rounds(rounds[2024], rounds[2025], district="CITY", stage="junior", year=2027)
balance = steps.query("value == 'balance'")
print(balance[["step", "from", "change", "to"]].round(1).to_string(index=False))
print(f"Public junior places, balance of 2027 as of this round: {balance['to'].iloc[-1]:.0f}")
