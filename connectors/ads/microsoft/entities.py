"""Microsoft Advertising: ad accounts, and the bulk file of their campaigns, ad groups and ads.

In: responses of the customer management and bulk services. Out: accounts and entities.
Source: learn.microsoft.com/advertising/bulk-service, .../guides/bulk-download-upload.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from connectors.ads.microsoft.time_zones import IANA_NAMES
from connectors.ads.microsoft.zipped_csv import wait_for_job, zipped_csv
from connectors.destination_url import destination_url
from connectors.http.client import PlatformClient
from connectors.http.responses import required
from connectors.micros import units_to_micros
from connectors.platform import Account, Entity, account_entity

VERSION = "v13"
CUSTOMERS = "https://clientcenter.api.bingads.microsoft.com/CustomerManagement"
BULK = "https://bulk.api.bingads.microsoft.com/Bulk"
Level = Literal["campaign", "adset", "ad"]
PARENT_LEVELS: dict[str, Level] = {"Campaign": "campaign", "Ad Group": "adset"}  # by the column Type
PARENT_TYPES: dict[Level, tuple[str, ...]] = {"campaign": (), "adset": ("Campaign",), "ad": ("Ad Group", "Campaign")}
Parents = dict[tuple[str, str], dict[str, str]]  # (Type, Id) -> the columns below
PARENT_COLUMNS = ("Type", "Id", "Parent Id", "Tracking Template", "Final Url Suffix")


def account_of(row: dict[str, Any]) -> Account:
    return Account(
        account_id=str(required(row, "Id", "Microsoft's account")),
        name=row.get("Name"),
        currency=row.get("CurrencyCode"),
        timezone=IANA_NAMES.get(row.get("TimeZone") or ""),
        status=row.get("AccountLifeCycleStatus"),
        manager=str(required(row, "ParentCustomerId", "Microsoft's account")),
    )


def current_account(client: PlatformClient, account: Account) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the account's current row, and the headers of requests about it."""
    request = {"AccountId": account.account_id}
    row = required(client.post(f"{CUSTOMERS}/{VERSION}/Account/Query", json=request), "Account", "Microsoft's account")
    customer = account.manager or str(required(row, "ParentCustomerId", "Microsoft's account"))
    return row, {"CustomerAccountId": account.account_id, "CustomerId": customer}


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    row, headers = current_account(client, account)
    currency = str(required(row, "CurrencyCode", "Microsoft's account"))
    yield account_entity(account_of(row))
    request = {
        "AccountIds": [account.account_id],
        "DownloadEntities": ["Campaigns", "AdGroups", "Ads"],
        "DownloadFileType": "Csv",
        "CompressionType": "Zip",
        "DataScope": "EntityData",
        "FormatVersion": "6.0",
    }
    response = client.post(f"{BULK}/{VERSION}/Campaigns/DownloadByAccountIds", json=request, headers=headers)
    job = required(response, "DownloadRequestId", "Microsoft's response to a bulk download")
    done = wait_for_job(
        client,
        f"{BULK}/{VERSION}/BulkDownloadStatus/Query",
        {"RequestId": job},
        headers,
        "the list of campaigns and ads",
        status="RequestStatus",
        done="Completed",
    )
    with zipped_csv(client, required(done, "ResultFileUrl", "Microsoft's bulk download")) as (_, read):
        # Read the parents first: in the file, ad groups and campaigns may follow their ads.
        parents: Parents = {
            (line["Type"], line["Id"]): {column: line.get(column) or "" for column in PARENT_COLUMNS}
            for line in read()
            if required(line, "Type", "Microsoft's list of campaigns and ads") in PARENT_LEVELS
        }
        for line in read():
            if line["Type"] in PARENT_LEVELS or line["Type"].endswith(" Ad"):
                yield _entity(line, account, PARENT_LEVELS.get(line["Type"], "ad"), parents, currency)


def _entity(line: dict[str, str], account: Account, level: Level, parents: Parents, currency: str) -> Entity:
    chain = [line]  # the entity, then its parents
    for type_ in PARENT_TYPES[level]:
        if parent := parents.get((type_, chain[-1].get("Parent Id") or "")):
            chain.append(parent)
    ids = {parent["Type"]: parent["Id"] for parent in chain[1:]}
    budget = units_to_micros(line["Budget"]) if level == "campaign" and line.get("Budget") else None
    lifetime = (line.get("Budget Type") or "").startswith("Lifetime")
    return Entity(
        account_id=account.account_id,
        level=level,
        entity_id=line["Id"],
        campaign_id=ids.get("Campaign"),
        adset_id=ids.get("Ad Group"),
        name=line.get({"campaign": "Campaign", "adset": "Ad Group"}.get(level, "Title")) or line.get("Title Part 1"),
        status=line.get("Status"),
        objective=line.get("Campaign Type") or None,
        destination_url=_destination_url(chain) if level == "ad" else None,
        daily_budget_micros=None if lifetime else budget,
        lifetime_budget_micros=budget if lifetime else None,
        currency=currency,
    )


def _destination_url(chain: list[dict[str, str]]) -> str | None:
    """Return the address to which a click leads. The nearest tracking template, and the nearest suffix, decide."""
    url = (chain[0].get("Final Url") or "").split(";")[0].strip()

    def nearest(column: str) -> str:
        return next((line[column] for line in chain if line.get(column)), "")

    template, suffix = nearest("Tracking Template"), nearest("Final Url Suffix")
    return destination_url(url, template=template, parameters=suffix)
