-- Webhooks: who is told what, how far each is, and what is behind or stands still.

CREATE TABLE webhooks (
    clinic_id    uuid NOT NULL REFERENCES clinics,
    webhook_id   uuid NOT NULL,
    url          text NOT NULL,
    description  text NOT NULL DEFAULT '',
    topics       text[] NOT NULL DEFAULT '{}',
    plan_id      uuid,
    member_id    uuid NOT NULL,
    recipient    text NOT NULL,
    created_by   uuid NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at  timestamptz,
    disabled_why text,
    replay_after bigint,
    deleted_at   timestamptz,
    PRIMARY KEY (clinic_id, webhook_id)
);
COMMENT ON COLUMN webhooks.topics IS 'The entry types wanted; empty: all.';
COMMENT ON COLUMN webhooks.member_id IS 'The integration that is told: what it may see is what is sent.';
COMMENT ON COLUMN webhooks.recipient IS 'By what name clients'' consents know the integration.';
COMMENT ON COLUMN webhooks.replay_after IS 'Asked for: deliver again what comes after this position; null once that has begun.';

CREATE TABLE webhook_secrets (
    clinic_id  uuid NOT NULL,
    webhook_id uuid NOT NULL,
    secret     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    PRIMARY KEY (clinic_id, webhook_id, created_at),
    FOREIGN KEY (clinic_id, webhook_id) REFERENCES webhooks ON DELETE CASCADE
);
COMMENT ON TABLE webhook_secrets IS
    'What deliveries are signed with; more than one while an old one still counts. Only the deliverer may read them.';

CREATE TABLE webhook_cursors (
    clinic_id   uuid NOT NULL,
    webhook_id  uuid NOT NULL,
    position    bigint NOT NULL,
    failures    integer NOT NULL DEFAULT 0,
    quiet_until timestamptz NOT NULL DEFAULT '-infinity',
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (clinic_id, webhook_id),
    FOREIGN KEY (clinic_id, webhook_id) REFERENCES webhooks ON DELETE CASCADE
) WITH (fillfactor = 70);
COMMENT ON TABLE webhook_cursors IS
    'How far each webhook is: everything up to the position is delivered, or its plan has a lane. '
    'The row''s lock is the lease.';

CREATE TABLE webhook_lanes (
    clinic_id  uuid NOT NULL,
    webhook_id uuid NOT NULL,
    plan_id    uuid NOT NULL,
    position   bigint NOT NULL,
    attempts   integer NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL,
    parked_at  timestamptz,
    why        text,
    PRIMARY KEY (clinic_id, webhook_id, plan_id),
    FOREIGN KEY (clinic_id, webhook_id) REFERENCES webhooks ON DELETE CASCADE
);
CREATE INDEX webhook_lanes_due ON webhook_lanes (clinic_id, webhook_id, due_at) WHERE parked_at IS NULL;
COMMENT ON TABLE webhook_lanes IS
    'Plans that are behind their webhook''s cursor: what comes after the position waits, in order, for the next attempt.';

CREATE TABLE webhook_attempts (
    clinic_id    uuid NOT NULL,
    webhook_id   uuid NOT NULL,
    attempted_at timestamptz NOT NULL,
    position     bigint NOT NULL,
    entry_id     uuid NOT NULL,
    plan_id      uuid NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('delivered', 'failed', 'parked')),
    status       integer,
    why          text,
    milliseconds integer NOT NULL,
    PRIMARY KEY (clinic_id, webhook_id, attempted_at, position),
    FOREIGN KEY (clinic_id, webhook_id) REFERENCES webhooks ON DELETE CASCADE
);
COMMENT ON TABLE webhook_attempts IS 'The delivery log: what was tried when, and how it went; never what was sent.';

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['webhooks', 'webhook_secrets', 'webhook_cursors', 'webhook_lanes',
                                   'webhook_attempts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY own_clinic ON %I USING (clinic_id = current_clinic())', v_table);
        EXECUTE format('CREATE POLICY every_clinic ON %I TO plan_history_owner USING (true)', v_table);
    END LOOP;
END
$$;

-- The API manages webhooks; it cannot read a secret again once it is kept, nor move a cursor.
GRANT SELECT, INSERT ON webhooks TO plan_history_api;
GRANT UPDATE (disabled_at, disabled_why, replay_after, deleted_at) ON webhooks TO plan_history_api;
GRANT INSERT, DELETE ON webhook_secrets TO plan_history_api;
GRANT SELECT (clinic_id, webhook_id, created_at, expires_at), UPDATE (expires_at)
    ON webhook_secrets TO plan_history_api;
GRANT SELECT, INSERT, UPDATE (failures, quiet_until) ON webhook_cursors TO plan_history_api;
GRANT SELECT, UPDATE (attempts, due_at, parked_at) ON webhook_lanes TO plan_history_api;
GRANT SELECT ON webhook_attempts TO plan_history_api;

-- The deliverer picks work among all clinics, and then reads entries of the one clinic it works for.
GRANT SELECT ON clinic_logs, entries TO plan_history_deliverer;
GRANT SELECT, DELETE ON webhooks TO plan_history_deliverer;
GRANT UPDATE (disabled_at, disabled_why, replay_after) ON webhooks TO plan_history_deliverer;
GRANT SELECT, DELETE ON webhook_secrets TO plan_history_deliverer;
GRANT SELECT, UPDATE ON webhook_cursors TO plan_history_deliverer;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_lanes TO plan_history_deliverer;
GRANT SELECT, INSERT, DELETE ON webhook_attempts TO plan_history_deliverer;
CREATE POLICY every_clinic_deliverer ON clinic_logs TO plan_history_deliverer USING (true);
CREATE POLICY every_clinic_deliverer ON webhooks TO plan_history_deliverer USING (true);
CREATE POLICY every_clinic_deliverer ON webhook_cursors TO plan_history_deliverer USING (true);
CREATE POLICY every_clinic_deliverer ON webhook_lanes TO plan_history_deliverer USING (true);
