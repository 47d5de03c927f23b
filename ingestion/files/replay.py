"""Replay failed rows: read the rows of raw.failed_events again, after their cause was fixed.

In: the failed rows of one reason, and today's tributary.yaml. Events that the collector rejected are validated again;
rows of files and webhooks are read as rows of a file.
Out: rows that load now leave raw.failed_events, the others stay, in one transaction. A second replay changes nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from ingestion.collector.rejected import revalidate
from ingestion.files.column_mapping import ReadPlan, plan_rows
from ingestion.files.contracts import ContractError
from ingestion.files.failed_rows import chosen_rows
from ingestion.files.limits import MAX_COLUMNS
from ingestion.files.merge import merge_rows
from ingestion.files.row_sql import typed_rows_sql, violations_sql
from ingestion.files.source_table import count_keys, source_of_objects
from ingestion.home import Home
from ingestion.loads import Load, LoadReport
from ingestion.segments.format import Failed, Receipt, as_line
from ingestion.segments.loading import store_segments
from ingestion.settings.model import Settings
from ingestion.sql import Connection, drop_temporary_tables, literal, scalar
from ingestion.user_agents import enrich

FORMAT = "replay"  # of raw.loads
_CONFLICTS = ("id_conflict", "ambiguous_key", "second_currency")
_DAMAGED_LINES = (
    "torn_line",
    "unloadable_line",
    "bad_json",
    "bad_quoting",
    "bad_encoding",
    "too_long",
    "wrong_column_count",
)


class ReplayReport(msgspec.Struct):
    """Row counts of a replay: tried = loaded + duplicate + failed."""

    tried: int = 0
    loaded: int = 0
    duplicate: int = 0
    failed: int = 0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)  # of the rows that failed again

    def add(self, report: LoadReport) -> None:
        self.loaded += report.loaded
        self.duplicate += report.duplicate
        self.failed += report.failed
        self.reasons.update(report.reasons)

    def add_failed(self, reason: str, rows: int = 1) -> None:
        self.failed += rows
        self.reasons[reason] += rows


def replay_failed(
    connection: Connection,
    home: Home,
    settings: Settings,
    *,
    reason: str,
    kind: str | None = None,
    since: date | None = None,
    dry_run: bool = False,
) -> ReplayReport:
    """Load the failed rows of a reason again. ContractError if a replay cannot help rows of this reason.

    since: the first day (UTC) on which the rows were received. dry_run: count, and change nothing.
    """
    _check_reason(reason)
    chosen = chosen_rows(reason=reason, kind=kind, since=since)
    of_files = f"{chosen} and (layer is null or kind <> 'events')"
    report = ReplayReport()
    connection.execute("begin")
    try:
        report.tried = scalar(connection, f"select count(*) from raw.failed_events where {chosen}")
        _replay_events(connection, home, settings, f"{chosen} and layer is not null and kind = 'events'", report)
        kinds = connection.execute(f"select distinct kind from raw.failed_events where {of_files} order by 1")
        for (each,) in kinds.fetchall():
            _replay_rows(connection, each, settings, f"{of_files} and kind = {literal(each)}", report)
        connection.execute("rollback" if dry_run else "commit")
    except BaseException:
        connection.execute("rollback")
        raise
    finally:
        drop_temporary_tables(connection)
    if not dry_run:
        enrich(connection)
    return report


def _check_reason(reason: str) -> None:
    if reason in _CONFLICTS:
        raise ContractError(
            f"--reason {reason}: these rows differ from the rows that have their ids, and a replay cannot decide which"
            " is right. Correct the id at its source, and send or import the row again."
        )
    if reason == "period_row":
        raise ContractError(
            f"--reason {reason}: a row of several days has no figures of a day. Export the report by day, or import its"
            " file again with --spread."
        )
    if reason in _DAMAGED_LINES:
        raise ContractError(
            f"--reason {reason}: these are damaged lines, not rows. Correct the file and import it again."
        )


def _replay_events(connection: Connection, home: Home, settings: Settings, chosen: str, report: ReplayReport) -> None:
    """Write the events that pass today's validation to a segment, with their first time of receipt, and load it."""
    sites = {site.id: site for site in settings.sites}
    valid = []
    path = home.temporary / f"replay-{uuid.uuid4().hex}.ndjson"
    try:
        with path.open("wb") as segment:
            for failed_id, site_id, payload, received_at, user_agent, ip_hash in _fetch_in_batches(
                connection,
                f"select failed_id, site_id, payload, received_at, user_agent, ip_hash from raw.failed_events"
                f" where {chosen} order by received_at, failed_id",
            ):
                site = sites.get(site_id)
                if site is None or received_at is None:
                    report.add_failed("unknown_site")
                    continue
                row = revalidate(payload.encode(), site, settings, received_at.replace(tzinfo=UTC))
                if isinstance(row, Failed):
                    report.add_failed(row.reason)
                    continue
                at, agent = row.pop("received_at"), row.pop("user_agent") or user_agent
                receipt = Receipt(
                    kind="events",
                    at=_iso_utc(at),
                    org=site.org,
                    site=site.id,
                    ip=ip_hash,
                    ua=agent,
                    received=1,
                    rows=[{name: value for name, value in row.items() if value is not None}],
                )
                segment.write(as_line(receipt))
                valid.append(failed_id)
        if valid:
            for load in store_segments(connection, [path], settings, home.temporary, file_format=FORMAT):
                report.add(load)
    finally:
        path.unlink(missing_ok=True)
    _delete_failed(connection, valid)
    drop_temporary_tables(connection)


def _replay_rows(connection: Connection, kind: str, settings: Settings, chosen: str, report: ReplayReport) -> None:
    """Replay the rows of files and webhooks of one kind. Their personal data is hashed already."""
    orgs = ", ".join(literal(org.id) for org in settings.orgs)
    is_object = "coalesce(json_type(try_cast(payload as json)) = 'OBJECT', false)"
    connection.execute(
        f"""
        create temp table objects as
        select row_number() over (order by failed_id) as line, payload as text, failed_id as _failed_id,
            _loaded_at as _failed_at, reason as _failed_for,
            if(org_id in ({orgs}), org_id, null) as _row_org, site_id as _row_site
        from raw.failed_events
        where {chosen} and {is_object}
        """
    )
    columns = count_keys(connection)
    if columns > MAX_COLUMNS:
        raise ContractError(
            f"These rows of {kind} have {columns:,} different columns. A replay reads at most {MAX_COLUMNS:,}. Choose"
            " fewer rows with --since, or import their files again."
        )
    plan = plan_rows(connection, kind, source_of_objects(connection, None), settings)
    for reason, rows in connection.execute(
        f"select reason, count(*) from ({violations_sql(plan)}) group by all"
    ).fetchall():
        report.add_failed(reason, rows)
    texts = scalar(connection, f"select count(*) from raw.failed_events where {chosen} and not {is_object}")
    if texts:
        report.add_failed("bad_json", texts)
    connection.execute(
        f"create temp table still_failing as"
        f" select _row, min(reason) as reason from ({_still_failing_sql(plan)}) group by _row"
    )
    for reason, rows in connection.execute(
        "select reason, count(*) from still_failing where reason is not null group by all"
    ).fetchall():
        report.add_failed(reason, rows)
    connection.execute("delete from source where rowid in (select _row from still_failing); drop table still_failing")
    valid = [row for (row,) in connection.execute("select _failed_id from source").fetchall()]
    if valid:
        source = f"replay-{uuid.uuid4().hex}"
        _delete_failed(connection, valid)  # first, because a row with an id conflict is quarantined again
        report.add(merge_rows(connection, plan, Load(source, source, FORMAT)))
    drop_temporary_tables(connection)


def _still_failing_sql(plan: ReadPlan) -> str:
    """Return the query of the rows of `source` that stay failed: _row, and a reason if violations_sql has none.

    Where later rows replace, a failed row is superseded by a row that loaded, or failed, under its key later. It is
    also superseded by a later pull of its account's day, which may have the same spend at a finer grain.
    """
    contract = plan.contract
    key = ", ".join(f"rows.{column}" for column in contract.key)
    unknown = f"_content_hash not in (select _content_hash from {contract.table})"
    queries = ["select _row, null as reason from rows where not _ok"]
    if "org_id" in contract.key:
        queries.append(
            "select _row, 'org_mismatch' from rows"
            " where _ok and _failed_for = 'org_mismatch' and org_id is distinct from _row_org"
        )
    if contract.replaces:
        queries.append(
            f"""
            select _row, 'superseded' from (
                select *, max(_failed_at) over (partition by {key.replace("rows.", "")}) as _last from (
                    select _row, _failed_at, _content_hash, {key} from rows where _ok
                    union all
                    select null, _loaded_at, _content_hash, {key} from {contract.table} as rows
                )
            )
            where _row is not null and _failed_at < _last and {unknown}
            """
        )
    if contract.history:
        queries.append(
            f"""
            select _row, 'superseded' from rows join {contract.table} as stored
            using (org_id, platform, account_id, date) join raw.loads on load_id = stored._load_id
            where _ok and format in ('pull', 'synced') and stored._loaded_at > _failed_at and rows.{unknown}
            """
        )
    return f"""
        with rows as (
            select checked.*, source._failed_at, source._failed_for, source._row_org
            from ({typed_rows_sql(plan)}) as checked join source on source.rowid = checked._row
        )
        {" union all ".join(queries)}
    """


def _fetch_in_batches(connection: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query without holding all of them in memory: a flood may fail."""
    result = connection.execute(query)
    while rows := result.fetchmany(1000):
        yield from rows


def _delete_failed(connection: Connection, failed_ids: list[str]) -> None:
    connection.execute("delete from raw.failed_events where failed_id in (select unnest($ids))", {"ids": failed_ids})


def _iso_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
