"""Microsoft Advertising's zipped CSVs: how they are read, and the bulk file of what an account has set up.

Source: learn.microsoft.com/advertising/bulk-service, .../guides/bulk-download-upload.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from connectors.ads.microsoft.time_zones import ZONES
from connectors.http.client import Api
from connectors.links import destination
from connectors.money import from_units
from connectors.platform import Account, Entity, entity_of, required

VERSION = "v13"
CUSTOMERS = "https://clientcenter.api.bingads.microsoft.com/CustomerManagement"
BULK = "https://bulk.api.bingads.microsoft.com/Bulk"
FAILED = ("Error", "Failed", "FailedFullSyncRequired")  # a report; a bulk file
PARENTS = {"Campaign": "campaign", "Ad Group": "adset"}
ABOVE = {"campaign": (), "adset": ("Campaign",), "ad": ("Ad Group", "Campaign")}
OF_PARENTS = ("Type", "Id", "Parent Id", "Tracking Template", "Final Url Suffix")


def account_of(row: dict[str, Any]) -> Account:
    return Account(
        str(required(row, "Id", "Microsoft's account")),
        row.get("Name"),
        row.get("CurrencyCode"),
        ZONES.get(row.get("TimeZone") or ""),
        status=row.get("AccountLifeCycleStatus"),
        manager=str(required(row, "ParentCustomerId", "Microsoft's account")),
    )


def about_account(api: Api, account: Account) -> tuple[dict[str, Any], dict[str, str]]:
    """The account as it is now, and the headers of requests about it."""
    question = {"AccountId": account.account_id}
    row = required(api.post(f"{CUSTOMERS}/{VERSION}/Account/Query", json=question), "Account", "Microsoft's account")
    customer = account.manager or str(required(row, "ParentCustomerId", "Microsoft's account"))
    return row, {"CustomerAccountId": account.account_id, "CustomerId": customer}


def entities(api: Api, account: Account) -> Iterator[Entity]:
    row, about = about_account(api, account)
    currency = required(row, "CurrencyCode", "Microsoft's account")
    yield entity_of(account_of(row))
    question = {
        "AccountIds": [account.account_id],
        "DownloadEntities": ["Campaigns", "AdGroups", "Ads"],
        "DownloadFileType": "Csv",
        "CompressionType": "Zip",
        "DataScope": "EntityData",
        "FormatVersion": "6.0",
    }
    answer = api.post(f"{BULK}/{VERSION}/Campaigns/DownloadByAccountIds", json=question, headers=about)
    job = required(answer, "DownloadRequestId", "Microsoft's answer to a bulk download")
    done = finished(
        api,
        f"{BULK}/{VERSION}/BulkDownloadStatus/Query",
        {"RequestId": job},
        about,
        "the list of campaigns and ads",
        status="RequestStatus",
        done="Completed",
    )
    with table(api, required(done, "ResultFileUrl", "Microsoft's bulk download")) as read:
        # What ads need of the ad groups and campaigns above them, which may come after them.
        parents = {
            (line["Type"], line["Id"]): {column: line.get(column) or "" for column in OF_PARENTS}
            for line in read()
            if required(line, "Type", "Microsoft's list of campaigns and ads") in PARENTS
        }
        for line in read():
            if line["Type"] in PARENTS or line["Type"].endswith(" Ad"):
                yield _entity(line, account, PARENTS.get(line["Type"], "ad"), parents, currency)


def _entity(line: dict[str, str], account: Account, level: Any, parents: dict[str, Any], currency: str) -> Entity:
    above = [line]
    for kind in ABOVE[level]:
        if parent := parents.get((kind, above[-1].get("Parent Id"))):
            above.append(parent)
    ids = {"Campaign": None, "Ad Group": None, **{one["Type"]: one["Id"] for one in above[1:]}}
    budget = from_units(line["Budget"]) if level == "campaign" and line.get("Budget") else None
    lifetime = (line.get("Budget Type") or "").startswith("Lifetime")
    return Entity(
        account.account_id,
        level,
        line["Id"],
        campaign_id=ids["Campaign"],
        adset_id=ids["Ad Group"],
        name=line.get({"campaign": "Campaign", "adset": "Ad Group"}.get(level, "Title")) or line.get("Title Part 1"),
        status=line.get("Status"),
        objective=line.get("Campaign Type") or None,
        destination_url=_destination(above) if level == "ad" else None,
        daily_budget_micros=None if lifetime else budget,
        lifetime_budget_micros=budget if lifetime else None,
        currency=currency,
    )


def _destination(above: list[dict[str, str]]) -> str | None:
    """Where a click on an ad leads, with the parameters of the nearest tracking template and suffix."""
    url = (above[0].get("Final Url") or "").split(";")[0].strip()

    def nearest(column: str) -> str:
        return next((line[column] for line in above if line.get(column)), "")

    template, suffix = nearest("Tracking Template"), nearest("Final Url Suffix")
    return destination(url, template=template, parameters=suffix)


def finished(
    api: Api, path: str, job: dict[str, str], about: dict[str, str], what: str, *, status: str, done: str
) -> dict[str, Any]:
    """The answer about a report or a bulk file once it is done."""
    return api.job(
        lambda: api.post(path, json=job, headers=about),
        what,
        status=status,
        done=done,
        failed=FAILED,
        every=5,
        limit=3600,
    )


@contextmanager
def table(api: Api, url: str) -> Iterator[Callable[[], Iterator[dict[str, str]]]]:
    """What reads the rows of a zipped CSV, as often as it is called."""
    with api.download(url) as file:
        archive = zipfile.ZipFile(file)
        name = next(iter(archive.namelist()), None)
        if name is None:
            raise zipfile.BadZipFile("nothing is in it")

        def read() -> Iterator[dict[str, str]]:
            with archive.open(name) as member:
                rows = csv.DictReader(io.TextIOWrapper(member, "utf-8-sig", newline=""))
                if not rows.fieldnames:  # a report without rows has them, too
                    raise zipfile.BadZipFile("it has no columns")
                yield from rows

        yield read
