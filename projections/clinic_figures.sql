CREATE TABLE {table} (
    clinic_id uuid NOT NULL REFERENCES clinics,
    plan_id   uuid NOT NULL,
    day       date NOT NULL,
    count     integer NOT NULL,
    figure    text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    PRIMARY KEY (clinic_id, plan_id, figure, key, day)
);
COMMENT ON TABLE {table} IS 'What is counted of each plan, by day; projections/clinic_figures.py lists the figures.';
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON {table} USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON {table} TO plan_history_owner, plan_history_projector USING (true);
GRANT SELECT ON {table} TO plan_history_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plan_history_projector;
