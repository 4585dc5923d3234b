CREATE TABLE {table} (
    clinic_id     uuid NOT NULL REFERENCES clinics,
    plan_id       uuid NOT NULL,
    version       integer NOT NULL,
    position      bigint NOT NULL,
    status        text NOT NULL,
    client_ref    text NOT NULL,
    client_label  bytea NOT NULL,
    therapist_id  uuid NOT NULL,
    supervisor_id uuid,
    opened_at     timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    document      bytea NOT NULL,
    PRIMARY KEY (clinic_id, plan_id)
) WITH (fillfactor = 80);
CREATE INDEX ON {table} (clinic_id, client_ref);
CREATE INDEX ON {table} (clinic_id, therapist_id);
ALTER TABLE {table} ALTER COLUMN document SET STORAGE EXTERNAL;
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON {table} USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON {table} TO plan_history_owner, plan_history_projector USING (true);
GRANT SELECT ON {table} TO plan_history_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plan_history_projector;
