-- oldest version: 0.1.0
-- One-time links to the guided page. A link is found by the SHA-256 of its secret and belongs to the
-- browser that opened it first. attempt names the one try that may take a token until attempt_until_ms;
-- spent_at_ms is written together with the token that it took.
create table guide_links (
  hash text primary key,
  shop_id text not null references shops (id) on delete cascade,
  provider text not null,
  created_at_ms bigint not null,
  expires_at_ms bigint not null,
  browser_hash text,
  attempt text,
  attempt_until_ms bigint,
  spent_at_ms bigint,
  identity_id text references identities (id) on delete set null
);

create index guide_links_by_expiry on guide_links (expires_at_ms);
create index guide_links_by_shop on guide_links (shop_id);
create index guide_links_by_identity on guide_links (identity_id);
