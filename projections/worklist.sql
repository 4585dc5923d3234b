CREATE TABLE {table} (
    clinic_id     uuid NOT NULL REFERENCES clinics,
    plan_id       uuid NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    about         text COLLATE "C" NOT NULL,
    due_on        date,
    due_by        date NOT NULL GENERATED ALWAYS AS (coalesce(due_on, '9999-12-31')) STORED,
    therapist_id  uuid NOT NULL,
    supervisor_id uuid,
    shown         bytea NOT NULL,
    PRIMARY KEY (clinic_id, plan_id, kind, about)
);
-- The order in which the list is read, to the last column: many plans may be due on one day.
CREATE INDEX ON {table} (clinic_id, therapist_id, due_by, plan_id, kind, about);
CREATE INDEX ON {table} (clinic_id, supervisor_id, due_by, plan_id, kind, about)
    WHERE supervisor_id IS NOT NULL;
COMMENT ON COLUMN {table}.about IS 'The id of the entry or goal it is about, or ''plan''.';
COMMENT ON COLUMN {table}.due_on IS 'The day (UTC) it is due; null when it has none.';
COMMENT ON COLUMN {table}.due_by IS
    'due_on, with the last of all days for none: what the list is ordered by. A plain column, because under
    row-level security an index serves no comparison with an expression that might leak.';
COMMENT ON COLUMN {table}.shown IS
    'The obligation with its client as the API shows it (JSON, sealed with the plan''s key), but for whether it is overdue.';
ALTER TABLE {table} ALTER COLUMN shown SET STORAGE EXTERNAL;
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON {table} USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON {table} TO plan_history_owner, plan_history_projector USING (true);
GRANT SELECT ON {table} TO plan_history_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plan_history_projector;
