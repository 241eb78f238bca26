-- oldest version: 0.1.0
-- The *_key columns hold the case-folded beginning of a text, for search; see searchKey in src/text.ts.
create table customers (
  id text primary key,
  shop_id text not null references shops (id) on delete cascade,
  external_id text,
  email text,
  email_key text,
  email_source text check (email_source in ('typed', 'confirmed', 'provider')),
  email_verified_at_ms bigint,
  name text,
  name_key text,
  phone text,
  last_identity_id text,
  source_page text,
  source_campaign text,
  first_seen_at_ms bigint not null,
  last_login_at_ms bigint,
  login_count bigint not null,
  created_at_ms bigint not null,
  updated_at_ms bigint not null,
  unique (shop_id, id),
  unique (shop_id, external_id)
);

create index customers_by_first_seen on customers (shop_id, first_seen_at_ms, id);
create index customers_by_updated on customers (shop_id, updated_at_ms, id);
create index customers_by_email on customers (shop_id, email_key);
create index customers_by_name on customers (shop_id, name_key);

-- Deferred: a login inserts the identity first, and its new customer only if the identity is new.
create table identities (
  id text primary key,
  shop_id text not null,
  customer_id text not null,
  provider text not null,
  provider_app_id text not null,
  provider_user_id text not null,
  provider_account_id text,
  username text,
  username_key text,
  name text,
  picture_url text,
  account_type text,
  scopes text not null,
  first_seen_at_ms bigint not null,
  last_login_at_ms bigint,
  login_count bigint not null,
  unique (shop_id, provider, provider_app_id, provider_user_id),
  foreign key (shop_id, customer_id) references customers (shop_id, id) on delete cascade deferrable initially deferred
);

create index identities_by_customer on identities (customer_id);
create index identities_by_user on identities (shop_id, provider, provider_user_id);
create index identities_by_account on identities (shop_id, provider, provider_account_id);
create index identities_by_username on identities (shop_id, username_key);

-- access_token is sealed and bound to its identity. exchange_due_at_ms is set while a short-lived
-- token still waits to be exchanged; a worker owns that work until lease_until_ms.
create table tokens (
  identity_id text primary key references identities (id) on delete cascade,
  access_token text not null,
  obtained_at_ms bigint not null,
  expires_at_ms bigint,
  revoked_at_ms bigint,
  exchange_due_at_ms bigint,
  lease_until_ms bigint
);

create index tokens_by_exchange_due on tokens (exchange_due_at_ms);
