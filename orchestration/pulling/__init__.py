"""Spend of the ad platforms, the European Central Bank's rates and other tools' tables -> raw.* of the warehouse.

Connects connectors/ (who knows the platforms) with ingestion/ (who knows the warehouse). plan.py says which accounts
and days; accounts.py has each spooled (spool.py) and loaded (load.py); days.py says what is stored then. The command
line (command.py, tables.py) and Dagster (assets.py, schedules.py, metadata.py) do the same and show it in their ways.
"""
