-- oldest version: 0.1.0
-- One row per flow whose handoff code was redeemed: the insert is the claim.
create table claims (
  flow_id text primary key,
  shop_id text not null references shops (id) on delete cascade,
  claimed_at_ms bigint not null,
  replayed_at_ms bigint,
  expires_at_ms bigint not null
);

create index claims_by_expiry on claims (expires_at_ms);
