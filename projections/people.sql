CREATE TABLE {table} (
    clinic_id     uuid NOT NULL REFERENCES clinics,
    member_id     uuid NOT NULL,
    name          text,
    role          text NOT NULL,
    credential    text,
    status        text NOT NULL,
    supervisor_id uuid,
    caseload      uuid[] NOT NULL,
    since         timestamptz NOT NULL,
    left_at       timestamptz,
    PRIMARY KEY (clinic_id, member_id)
);
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON {table} USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON {table} TO plan_history_owner, plan_history_projector USING (true);
GRANT SELECT ON {table} TO plan_history_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plan_history_projector;
