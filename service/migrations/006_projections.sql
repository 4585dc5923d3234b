-- Where each projection stands in each clinic's log. The row's lock is the lease.

CREATE TABLE projection_positions (
    projection text NOT NULL,
    version    integer NOT NULL,
    clinic_id  uuid NOT NULL REFERENCES clinics,
    position   bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    stopped_at bigint,
    stopped_why text,
    PRIMARY KEY (projection, version, clinic_id)
) WITH (fillfactor = 70);
COMMENT ON COLUMN projection_positions.stopped_at IS
    'The position of the entry this projection could not take in; null while it runs.';

GRANT SELECT, INSERT, UPDATE, DELETE ON projection_positions TO plan_history_projector;
GRANT SELECT ON projection_positions TO plan_history_api;
