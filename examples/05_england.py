# %% [markdown]
# # Real data: English local authorities
#
# Births (Office for National Statistics) and pupils by year group (Department for Education) are
# published, not part of this project. Set `PLACEFORECAST_ENGLAND` to the folder that holds
# `births.csv`, `pupils.csv` and `authorities.csv`, or give the folder as the first argument.

# %%
import os
import runpy
import sys
import tempfile
from pathlib import Path

import placeforecast as pf

given = os.environ.get("PLACEFORECAST_ENGLAND", sys.argv[1] if len(sys.argv) > 1 else "")
source = Path(given)
if not given or not (source / "births.csv").is_file():
    print("No published tables found: set PLACEFORECAST_ENGLAND to their folder, then run again.")
    sys.exit(0)

# %% [markdown]
# `data/make_england.py` turns the published tables into a region folder, as any script of yours
# would do with your own returns.

# %%
root = next(path for path in (Path(), Path("..")) if (path / "data/make_england.py").is_file())
make_region = runpy.run_path(str(root / "data/make_england.py"))["make_region"]
with tempfile.TemporaryDirectory() as folder:
    make_region(source, Path(folder))
    inputs = pf.read_inputs(folder)
print(inputs)

# %% [markdown]
# There are no places in these tables, so the chain stops at demand and says so. A warning names
# the births that were not yet published at the launch: they are not used, as nobody had them then.

# %%
result = pf.forecast(inputs, horizon=5)
print(result.notes.query("topic == 'places'")["text"].item())

# %%
england = result.stages.query("district == 'England' and ledger == 'all'")
print(england.pivot(index="year", columns="stage", values="demand").round().to_string())

# %%
primary = england.query("stage == 'primary'").set_index("year")["demand"]
print(f"Primary pupils of these authorities in {result.last_year}: {primary.iloc[-1]:.0f}")
