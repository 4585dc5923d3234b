-- Clinics and their gapless logs. Everything hangs on the clinic: order, isolation, proof, sharding.

CREATE FUNCTION current_clinic() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('plan_history.clinic_id', true), '')::uuid $$;
COMMENT ON FUNCTION current_clinic() IS
    'The clinic this transaction speaks for; no setting means no clinic, and so no rows.';

CREATE TABLE clinics (
    clinic_id  uuid PRIMARY KEY,
    name       text NOT NULL CHECK (name <> ''),
    rehearsal  boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN clinics.rehearsal IS
    'A rehearsal clinic (demo, training, tests) may be told when an entry was recorded; a real one never.';

CREATE TABLE clinic_logs (
    clinic_id   uuid PRIMARY KEY REFERENCES clinics,
    position    bigint NOT NULL DEFAULT 0,
    recorded_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
COMMENT ON TABLE clinic_logs IS 'The counter row of each clinic: its last position and the time of it.';

ALTER TABLE clinics ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinics FORCE ROW LEVEL SECURITY;
ALTER TABLE clinic_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinic_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON clinics USING (clinic_id = current_clinic());
CREATE POLICY own_clinic ON clinic_logs USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON clinics TO plan_history_owner, plan_history_projector USING (true);
CREATE POLICY every_clinic ON clinic_logs TO plan_history_owner, plan_history_projector USING (true);

GRANT SELECT ON clinics, clinic_logs TO plan_history_api, plan_history_projector;
GRANT SELECT ON migrations TO plan_history_api, plan_history_projector;
