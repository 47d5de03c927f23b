"""Spend of the ad platforms, the European Central Bank's rates and other tools' tables -> raw.* of the warehouse.

Connects connectors/ (who knows the platforms) with ingestion/ (who knows the warehouse), for the command line
(command.py, tables.py) and for Dagster (assets.py, schedules.py, metadata.py) alike.
"""
