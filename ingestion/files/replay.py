"""raw.failed_events -> raw tables: rows that failed go through again, after what refused them was mended.

In: the failed rows of one reason. Events that the collector refused are validated as it would today; rows of files and
webhooks are read as a file's rows, with today's settings. Out: rows that load now leave raw.failed_events, the others
stay as they are, all in one transaction. Replaying twice changes nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec

from ingestion.collector.rejected import revalidate
from ingestion.files.column_mapping import scope_of_rows
from ingestion.files.contracts import CONTRACTS, ContractError
from ingestion.files.load import store
from ingestion.files.parse import Scope, typed, violations
from ingestion.files.read import make_unreadable, source_of_objects
from ingestion.home import Home
from ingestion.loads import Load, LoadReport, clear
from ingestion.segments.format import Failed, Receipt, as_line
from ingestion.segments.loading import store_segments
from ingestion.settings.model import Settings
from ingestion.sql import Connection, literal
from ingestion.user_agents import enrich

FORMAT = "replay"  # of raw.loads
_CONFLICTS = ("id_conflict", "ambiguous_key")
_TEXTS = ("torn_line", "bad_json", "bad_quoting", "bad_encoding", "too_long", "wrong_column_count")


class Replayed(msgspec.Struct):
    """What became of the rows that were tried: tried = loaded + duplicate + failed."""

    tried: int = 0
    loaded: int = 0
    duplicate: int = 0
    failed: int = 0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)  # of those that failed again

    def add(self, report: LoadReport) -> None:
        self.loaded += report.loaded
        self.duplicate += report.duplicate
        self.failed += report.failed
        self.reasons.update(report.reasons)


def replay_failed(
    connection: Connection,
    home: Home,
    settings: Settings,
    *,
    reason: str,
    kind: str | None = None,
    since: date | None = None,
    dry_run: bool = False,
) -> Replayed:
    """Send the failed rows of a reason through again; ContractError where that can mend nothing.

    since: the day (UTC) from which on they were received. dry_run: count, and leave everything as it is.
    """
    _check(reason)
    chosen = f"reason = {literal(reason)}"
    chosen += f" and kind = {literal(kind)}" if kind else ""
    chosen += f" and coalesce(received_at, _loaded_at) >= {literal(since)}::timestamp" if since else ""
    replayed = Replayed()
    connection.execute("begin")
    try:
        (replayed.tried,) = connection.execute(f"select count(*) from raw.failed_events where {chosen}").fetchone() or (
            0,
        )
        _replay_events(connection, home, settings, f"{chosen} and layer is not null and kind = 'events'", replayed)
        kinds = connection.execute(
            f"select distinct kind from raw.failed_events where {chosen} and (layer is null or kind <> 'events')"
        ).fetchall()
        for (each,) in sorted(kinds):
            _replay_rows(connection, each, settings, f"{chosen} and (layer is null or kind <> 'events')", replayed)
        connection.execute("rollback" if dry_run else "commit")
    except BaseException:
        connection.execute("rollback")
        raise
    finally:
        clear(connection)
    if not dry_run:
        enrich(connection)
    return replayed


def _check(reason: str) -> None:
    if reason in _CONFLICTS:
        raise ContractError(
            f"--reason {reason}: these rows say something else than the rows that have their ids, and a replay cannot"
            " tell which is right: correct the id where the row comes from, and send or import it again"
        )
    if reason in _TEXTS:
        raise ContractError(f"--reason {reason}: these are damaged lines, not rows: mend the file and import it again")


def _replay_events(connection: Connection, home: Home, settings: Settings, chosen: str, replayed: Replayed) -> None:
    """Those that pass today's rules land again: a segment of the rows, received when they first were."""
    sites = {site.id: site for site in settings.sites}
    mended = []
    path = home.temporary / f"replay-{uuid.uuid4().hex}.ndjson"
    try:
        with path.open("wb") as segment:
            for failed_id, site_id, payload, received_at, user_agent, ip_hash in _fetched(
                connection,
                f"select failed_id, site_id, payload, received_at, user_agent, ip_hash from raw.failed_events"
                f" where {chosen} order by received_at, failed_id",
            ):
                site = sites.get(site_id)
                if site is None or received_at is None:
                    replayed.failed += 1
                    replayed.reasons["unknown_site"] += 1
                    continue
                row = revalidate(payload.encode(), site, settings, received_at.replace(tzinfo=UTC))
                if isinstance(row, Failed):
                    replayed.failed += 1
                    replayed.reasons[row.reason] += 1
                    continue
                at, agent = row.pop("received_at"), row.pop("user_agent") or user_agent
                row = {name: value for name, value in row.items() if value is not None}
                receipt = Receipt("events", _instant(at), site.org, site.id, ip_hash, agent, received=1, rows=[row])
                segment.write(as_line(receipt))
                mended.append(failed_id)
        if mended:
            for report in store_segments(connection, [path], settings, home.temporary, file_format=FORMAT):
                replayed.add(report)
    finally:
        path.unlink(missing_ok=True)
    _forget(connection, mended)
    clear(connection)


def _replay_rows(connection: Connection, kind: str, settings: Settings, chosen: str, replayed: Replayed) -> None:
    """Rows of files and webhooks of one kind. They are scrubbed already: a hash is not hashed again."""
    orgs = ", ".join(literal(org.id) for org in settings.orgs)
    connection.execute(
        f"""
        create temp table objects as
        select row_number() over (order by failed_id) as line, payload as text, failed_id as _failed_id,
            _loaded_at as _failed_at, reason as _failed_for,
            if(org_id in ({orgs}), org_id, null) as _landed_org, site_id as _landed_site
        from raw.failed_events
        where {chosen} and kind = {literal(kind)} and json_type(try_cast(payload as json)) = 'OBJECT'
        """
    )
    columns = source_of_objects(connection, None)
    connection.execute("delete from source_lines")
    make_unreadable(connection)
    scope = scope_of_rows(connection, kind, columns, settings)
    for code, rows in connection.execute(
        f"select reason, count(*) from ({violations(scope, columns)}) group by all"
    ).fetchall():
        replayed.failed += rows
        replayed.reasons[code] += rows
    (texts,) = connection.execute(
        f"select count(*) from raw.failed_events where {chosen} and kind = {literal(kind)}"
        " and not coalesce(json_type(try_cast(payload as json)) = 'OBJECT', false)"
    ).fetchone() or (0,)
    replayed.failed += texts
    replayed.reasons += Counter(bad_json=texts)
    connection.execute(
        f"create temp table staying as select _row, min(reason) as reason from ({_staying(kind, scope)}) group by _row"
    )
    for code, rows in connection.execute(
        "select reason, count(*) from staying where reason is not null group by all"
    ).fetchall():
        replayed.failed += rows
        replayed.reasons[code] += rows
    connection.execute("delete from source where rowid in (select _row from staying); drop table staying")
    mended = [row for (row,) in connection.execute("select _failed_id from source").fetchall()]
    if mended:
        source = f"replay-{uuid.uuid4().hex}"
        _forget(connection, mended)  # first: one that contradicts another row comes back for that reason
        replayed.add(store(connection, kind, scope, columns, Load(source, source, FORMAT)))
    clear(connection)


def _staying(kind: str, scope: Scope) -> str:
    """The query of the rows of `source` that stay failed: _row, and the reason where no violation counts it.

    Where a later row replaces, one that failed is older than what was loaded, or failed, under its key since; or than
    a pull of its account's day, which may have told the same spend at a finer grain.
    """
    contract = CONTRACTS[kind]
    key = ", ".join(f"rows.{column}" for column in contract.key)
    query = "with rows as (select checked.*, source._failed_at, source._failed_for, source._landed_org"
    query += f" from ({typed(scope)}) as checked join source on source.rowid = checked._row)"
    query += " select _row, null as reason from rows where not _ok"
    if "org_id" in contract.key:
        query += " union all select _row, 'org_mismatch' from rows"
        query += " where _ok and _failed_for = 'org_mismatch' and org_id is distinct from _landed_org"
    if contract.replaces:
        said = f"select _row, _failed_at, _content_hash, {key} from rows where _ok"
        said += f" union all select null, _loaded_at, _content_hash, {key} from {contract.table} as rows"
        query += " union all select _row, 'superseded' from (select *, max(_failed_at) over (partition by"
        query += f" {key.replace('rows.', '')}) as _last from ({said})) where _row is not null and _failed_at < _last"
        query += f" and _content_hash not in (select _content_hash from {contract.table})"
    if contract.history:
        query += f" union all select _row, 'superseded' from rows join {contract.table} as stored"
        query += " using (org_id, platform, account_id, date) join raw.loads on load_id = stored._load_id"
        query += " where _ok and format in ('pull', 'synced') and stored._loaded_at > _failed_at"
        query += f" and rows._content_hash not in (select _content_hash from {contract.table})"
    return query


def _fetched(connection: Connection, query: str) -> Iterator[tuple]:
    """The rows, some at a time: a flood of refused events need not fit into memory."""
    result = connection.execute(query)
    while rows := result.fetchmany(1000):
        yield from rows


def _forget(connection: Connection, failed_ids: list[str]) -> None:
    connection.execute("delete from raw.failed_events where failed_id in (select unnest($ids))", {"ids": failed_ids})


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
