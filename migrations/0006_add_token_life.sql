-- oldest version: 0.1.0
-- What is to be done with a token, and when. Whoever stores a token sets work to 'plan' and due_at_ms to 0
-- (what a new row has by itself) and raises generation; upkeep works out the rest:
--   plan      work out the times; needs no provider
--   exchange  a short-lived token waits for a long-lived one (exchange_due_at_ms is set)
--   refresh   lengthen the life of a long-lived one
--   prove     a refresh returned another text: try it, and keep the old one until then
--   null      nothing to do
-- provider repeats the identity's, so that one index finds what is due at one provider.
alter table tokens add column work text default 'plan' check (work in ('plan', 'exchange', 'refresh', 'prove'));
alter table tokens add column provider text;
alter table tokens add column due_at_ms bigint default 0;

-- generation is the fence: whoever takes a token to work on it, and whoever stores another one, raises it;
-- what a worker brings back is written only under the generation that it took. While a worker has the
-- token, due_at_ms is lease_until_ms: it falls due again by itself when the worker dies.
alter table tokens add column generation bigint not null default 0;

-- failures in a row. unsure_at_ms: since then a call may have been made whose answer we do not have.
alter table tokens add column failures bigint not null default 0;
alter table tokens add column unsure_at_ms bigint;

-- Sealed as access_token is: the text before the last refresh, until the new one has worked once.
alter table tokens add column previous_token text;
alter table tokens add column previous_obtained_at_ms bigint;
alter table tokens add column previous_expires_at_ms bigint;

alter table tokens add column revoked_reason text;

drop index tokens_by_exchange_due;
create index tokens_by_work on tokens (work, provider, due_at_ms);
create index tokens_by_expiry on tokens (revoked_at_ms, expires_at_ms);

-- Until when a provider wants no calls in the background, for all processes.
create table provider_pauses (
  provider text not null,
  provider_app_id text not null,
  until_ms bigint not null,
  primary key (provider, provider_app_id)
);
