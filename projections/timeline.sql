CREATE TABLE {table} (
    clinic_id    uuid NOT NULL REFERENCES clinics,
    position     bigint NOT NULL,
    plan_id      uuid NOT NULL,
    occurred_at  timestamptz NOT NULL,
    recorded_by  uuid NOT NULL,
    version      integer NOT NULL,
    in_error_by  integer,
    type         text NOT NULL,
    voiced_by    text,
    about        uuid[],
    corrected_by integer[],
    addenda      integer[],
    sentence     bytea NOT NULL,
    PRIMARY KEY (clinic_id, position)
);
CREATE INDEX ON {table} (clinic_id, plan_id, version);
CREATE INDEX ON {table} (clinic_id, type, position);
CREATE INDEX ON {table} (clinic_id, recorded_by, position);
COMMENT ON COLUMN {table}.sentence IS 'Sealed with the key of the entry, where that is.';
COMMENT ON COLUMN {table}.about IS 'The ids of things in the plan the entry makes or refers to.';
COMMENT ON COLUMN {table}.in_error_by IS 'The version of the mark that took the entry out.';
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON {table} USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON {table} TO plan_history_owner, plan_history_projector USING (true);
GRANT SELECT ON {table} TO plan_history_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plan_history_projector;
