-- The reads of the hot path: each sets its clinic and reads in one round trip, under row-level security.

CREATE FUNCTION read_entries(p_clinic uuid, p_plan uuid, p_after integer, p_until integer DEFAULT NULL)
    RETURNS TABLE (
        "position" bigint, version integer, recorded_at timestamptz, entry_id uuid, command_id uuid,
        topic text, state bytea
    )
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    RETURN QUERY
        SELECT e.position, e.version, e.recorded_at, e.entry_id, e.command_id, e.topic, e.state
        FROM entries e
        WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan AND e.version > p_after
          AND e.version <= coalesce(p_until, 2147483647)
        ORDER BY e.version;
END
$$;

REVOKE ALL ON FUNCTION read_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_entries TO plan_history_api, plan_history_projector;

CREATE FUNCTION read_plan(p_clinic uuid, p_plan uuid)
    RETURNS TABLE (document bytea, version integer, head integer)
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    RETURN QUERY
        SELECT c.document, c.version, h.version
        FROM (SELECT e.version FROM entries e WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan
              ORDER BY e.version DESC LIMIT 1) h
        LEFT JOIN current_plans c ON c.clinic_id = p_clinic AND c.plan_id = p_plan;
END
$$;

CREATE FUNCTION read_timeline(
    p_clinic uuid, p_plan uuid, p_after integer, p_limit integer
)
    RETURNS TABLE (
        "position" bigint, version integer, plan text, recorded_at timestamptz, entry text, command text,
        topic text, state bytea, sentence text, corrected_by integer[], addenda integer[],
        in_error_by integer, behind boolean
    )
    LANGUAGE plpgsql
AS $$
DECLARE
    v_behind boolean;
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    -- Whether the read model lacks the plan's newest entry, and with it perhaps what that says of others.
    SELECT NOT EXISTS (SELECT FROM timeline t WHERE t.clinic_id = e.clinic_id AND t.position = e.position)
        INTO v_behind
        FROM entries e WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan ORDER BY e.version DESC LIMIT 1;
    RETURN QUERY
        SELECT e.position, e.version, e.plan_id::text, e.recorded_at, e.entry_id::text,
               e.command_id::text, e.topic, e.state, t.sentence, t.corrected_by, t.addenda, t.in_error_by, v_behind
        FROM entries e
        LEFT JOIN timeline t ON t.clinic_id = e.clinic_id AND t.position = e.position
        WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan AND e.version > p_after
        ORDER BY e.version LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION read_plan, read_timeline FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_plan, read_timeline TO plan_history_api;

CREATE FUNCTION position_before(p_clinic uuid, p_moment timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE
AS $$
-- The last position recorded before a moment, by halving: recorded_at never decreases with position.
DECLARE
    v_low  bigint := 0;
    v_high bigint;
    v_mid  bigint;
    v_at   timestamptz;
BEGIN
    SELECT l.position INTO v_high FROM clinic_logs l WHERE l.clinic_id = p_clinic;
    WHILE v_low < v_high LOOP
        v_mid := (v_low + v_high + 1) / 2;
        SELECT e.recorded_at INTO v_at FROM entries e WHERE e.clinic_id = p_clinic AND e.position = v_mid;
        IF v_at < p_moment THEN
            v_low := v_mid;
        ELSE
            v_high := v_mid - 1;
        END IF;
    END LOOP;
    RETURN coalesce(v_low, 0);
END
$$;
REVOKE ALL ON FUNCTION position_before FROM PUBLIC;
GRANT EXECUTE ON FUNCTION position_before TO plan_history_api;

CREATE FUNCTION projection_lag()
    RETURNS TABLE (projection text, behind bigint, clinics_behind bigint, stopped bigint)
    LANGUAGE sql SECURITY DEFINER STABLE
    SET search_path = plan_history, pg_temp
AS $$
    SELECT p.projection, coalesce(sum(l.position - p.position), 0)::bigint,
           count(*) FILTER (WHERE l.position > p.position), count(p.stopped_at)
    FROM projection_positions p JOIN clinic_logs l USING (clinic_id) GROUP BY p.projection
$$;
REVOKE ALL ON FUNCTION projection_lag FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projection_lag TO plan_history_api, plan_history_projector;
