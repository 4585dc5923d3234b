-- The record: entries, and the commands that wrote them. Append only; nobody but the owner may change it.

CREATE TABLE entries (
    clinic_id   uuid NOT NULL REFERENCES clinics,
    position    bigint NOT NULL CHECK (position > 0),
    plan_id     uuid NOT NULL,
    version     integer NOT NULL CHECK (version > 0),
    recorded_at timestamptz NOT NULL,
    entry_id    uuid NOT NULL,
    command_id  uuid NOT NULL,
    key_id      uuid,
    leaf        bytea NOT NULL,
    topic       text NOT NULL,
    state       bytea NOT NULL,
    PRIMARY KEY (clinic_id, plan_id, version),
    UNIQUE (clinic_id, position),
    UNIQUE (clinic_id, entry_id)
);
COMMENT ON COLUMN entries.key_id IS 'The key the state is encrypted under; null while it is not.';
COMMENT ON COLUMN entries.leaf IS 'SHA-256 of the row and of the plan''s previous leaf, see entry_leaf().';
-- States are small JSON texts; keep them in the row, uncompressed reads are quicker.
ALTER TABLE entries ALTER COLUMN state SET STORAGE EXTERNAL;

CREATE TABLE commands (
    clinic_id      uuid NOT NULL REFERENCES clinics,
    principal      uuid NOT NULL,
    key            text NOT NULL,
    request_digest bytea NOT NULL,
    plan_id        uuid NOT NULL,
    first_version  integer NOT NULL,
    last_version   integer NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (clinic_id, principal, key)
);
COMMENT ON TABLE commands IS 'Idempotency: what a key of a principal has recorded, written with the entries.';

CREATE TABLE open_plans (
    clinic_id  uuid NOT NULL REFERENCES clinics,
    client_ref text NOT NULL,
    plan_id    uuid NOT NULL,
    PRIMARY KEY (clinic_id, client_ref, plan_id)
);
COMMENT ON TABLE open_plans IS 'Which plans of a client are open; kept in the append, so that two cannot open at once.';

ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
ALTER TABLE commands ENABLE ROW LEVEL SECURITY;
ALTER TABLE commands FORCE ROW LEVEL SECURITY;
ALTER TABLE open_plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE open_plans FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON entries USING (clinic_id = current_clinic());
CREATE POLICY own_clinic ON commands USING (clinic_id = current_clinic());
CREATE POLICY own_clinic ON open_plans USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON entries TO plan_history_owner, plan_history_projector USING (true);
CREATE POLICY every_clinic ON open_plans TO plan_history_owner USING (true);

GRANT SELECT ON entries, commands, open_plans TO plan_history_api;
GRANT SELECT ON entries TO plan_history_projector;
