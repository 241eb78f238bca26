-- oldest version: 0.1.0
-- Shops are the OAuth clients; a key is stored only as the SHA-256 of its text.
create table shops (
  id text primary key,
  name text not null,
  url text not null,
  id_token_alg text not null check (id_token_alg in ('RS256', 'ES256')),
  without_pkce_at_ms bigint,
  created_at_ms bigint not null
);

create table redirect_uris (
  shop_id text not null references shops (id) on delete cascade,
  redirect_uri text not null,
  primary key (shop_id, redirect_uri)
);

create table api_keys (
  id text primary key,
  shop_id text not null references shops (id) on delete cascade,
  hash text not null unique,
  last_four text not null,
  scopes text not null,
  created_at_ms bigint not null,
  revoked_at_ms bigint
);

create index api_keys_by_shop on api_keys (shop_id);
