-- Files and the collector name the fault of an unknown event type alike.
update raw.failed_events set reason = 'unknown_type' where reason = 'bad_type';
update raw.dismissed_rows set reason = 'unknown_type' where reason = 'bad_type';
