"""Pull spend of the ad platforms, exchange rates and tables that another tool syncs into raw.* of the warehouse.

plan.py chooses accounts and days, fetch.py writes an account's days to files, and accounts.py loads the files.
exchange_rates.py and synced.py pull the rest. The command line and Dagster (assets.py, schedules.py) call these
modules, and metadata.py describes the result in Dagster's UI.
"""
