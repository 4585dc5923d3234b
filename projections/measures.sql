CREATE TABLE {table} (
    clinic_id   uuid NOT NULL REFERENCES clinics,
    plan_id     uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    version     integer NOT NULL,
    goal_id     uuid,
    instrument  text,
    by          text NOT NULL,
    measured    bytea NOT NULL,
    PRIMARY KEY (clinic_id, plan_id, version)
);
CREATE INDEX ON {table} (clinic_id, instrument, occurred_at) WHERE instrument IS NOT NULL;
COMMENT ON COLUMN {table}.measured IS
    'JSON: value, and unit as the entry says it (null where it is that of the goal''s measure); sealed with the plan''s key.';
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON {table} USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON {table} TO plan_history_owner, plan_history_projector USING (true);
GRANT SELECT ON {table} TO plan_history_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plan_history_projector;
