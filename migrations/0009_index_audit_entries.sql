-- oldest version: 0.1.0
create index audit_entries_by_time on audit_entries (at_ms, id);
