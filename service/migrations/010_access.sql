-- Who looked at what: one row per look and per refused attempt, kept before the answer goes out.

CREATE TABLE access_log (
    clinic_id  uuid NOT NULL REFERENCES clinics,
    look_id    bigint GENERATED ALWAYS AS IDENTITY,
    looked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    member_id  uuid NOT NULL,
    token_id   uuid NOT NULL,
    name       text NOT NULL,
    role       text NOT NULL,
    action     text NOT NULL,
    plan_id    uuid,
    version    integer,
    asked      text,
    why        text,
    view       text,
    allowed    boolean NOT NULL,
    address    text,
    request_id text,
    PRIMARY KEY (clinic_id, look_id)
);
COMMENT ON COLUMN access_log.why IS 'The relation by which it was allowed; null when it was refused.';
COMMENT ON COLUMN access_log.asked IS 'Which moment, format or list was asked for; never words of a plan.';
CREATE INDEX access_log_of_plan ON access_log (clinic_id, plan_id, look_id) WHERE plan_id IS NOT NULL;
CREATE INDEX access_log_of_member ON access_log (clinic_id, member_id, look_id);

ALTER TABLE access_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_log FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON access_log FOR SELECT USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON access_log TO plan_history_owner USING (true) WITH CHECK (true);
GRANT SELECT ON access_log TO plan_history_api;

-- Looks of several requests, perhaps of several clinics, in one round trip and one commit.
CREATE FUNCTION note_looks(
    p_clinics uuid[], p_members uuid[], p_tokens uuid[], p_names text[], p_roles text[], p_actions text[],
    p_plans uuid[], p_versions integer[], p_asked text[], p_why text[], p_views text[],
    p_allowed boolean[], p_addresses text[], p_requests text[]
)
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
    INSERT INTO access_log (clinic_id, member_id, token_id, name, role, action, plan_id, version, asked, why,
        view, allowed, address, request_id)
    SELECT * FROM unnest(p_clinics, p_members, p_tokens, p_names, p_roles, p_actions, p_plans, p_versions,
        p_asked, p_why, p_views, p_allowed, p_addresses, p_requests)
$$;
REVOKE ALL ON FUNCTION note_looks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_looks TO plan_history_api;

-- What of a plan decides who may see it; not fresh when the read model lacks its newest entry.
CREATE FUNCTION plan_facts(p_clinic uuid, p_plan uuid)
    RETURNS TABLE (therapist_id uuid, supervisor_id uuid, client_ref text, fresh boolean)
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    RETURN QUERY
        SELECT c.therapist_id, c.supervisor_id, c.client_ref, coalesce(c.version = h.version, false)
        FROM (SELECT e.version FROM entries e WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan
              ORDER BY e.version DESC LIMIT 1) h
        LEFT JOIN current_plans c ON c.clinic_id = p_clinic AND c.plan_id = p_plan;
END
$$;
REVOKE ALL ON FUNCTION plan_facts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION plan_facts TO plan_history_api;

-- Where the read models of other clinics stand is nobody's business here either.
ALTER TABLE projection_positions ENABLE ROW LEVEL SECURITY;
ALTER TABLE projection_positions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON projection_positions FOR SELECT USING (clinic_id = current_clinic());
CREATE POLICY every_clinic ON projection_positions TO plan_history_owner, plan_history_projector
    USING (true) WITH CHECK (true);
