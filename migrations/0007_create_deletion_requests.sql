-- oldest version: 0.1.0
-- What Meta asked to have deleted, for the status page and so that a repeated request acts once. It holds
-- nothing of the person: the fingerprint is keyed with the app's secret.
create table deletion_requests (
  code text primary key,
  fingerprint text not null unique,
  issued_at_ms bigint not null,
  received_at_ms bigint not null,
  completed_at_ms bigint not null
);
