-- oldest version: 0.1.0
create table audit_entries (
  id text primary key,
  shop_id text not null references shops (id) on delete cascade,
  customer_id text,
  actor text not null,
  action text not null,
  subject text,
  at_ms bigint not null
);

create index audit_entries_by_customer on audit_entries (shop_id, customer_id, at_ms);
