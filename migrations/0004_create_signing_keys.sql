-- oldest version: 0.1.0
-- private_jwk is sealed; a retired key is published until the last token it signed has expired.
create table signing_keys (
  kid text primary key,
  alg text not null check (alg in ('RS256', 'ES256')),
  public_jwk text not null,
  private_jwk text not null,
  created_at_ms bigint not null,
  retired_at_ms bigint
);

-- One known text sealed under each vault key in use: a start without that key, or with other bytes
-- under its name, is refused before anything is served.
create table vault_keys (
  key_id text primary key,
  check_value text not null,
  created_at_ms bigint not null
);
