-- Who looks at what a worker keeps ready asks, in the same round trip, whether it is still what is recorded.

-- The plan as it is shown, and which row that is: a row that is written anew is another one.
DROP FUNCTION read_plan;
CREATE FUNCTION read_plan(p_clinic uuid, p_plan uuid)
    RETURNS TABLE (document bytea, version integer, head integer, made bigint)
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    RETURN QUERY
        SELECT c.document, c.version, h.version, c.xmin::text::bigint
        FROM (SELECT e.version FROM entries e WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan
              ORDER BY e.version DESC LIMIT 1) h
        LEFT JOIN current_plans c ON c.clinic_id = p_clinic AND c.plan_id = p_plan;
END
$$;
REVOKE ALL ON FUNCTION read_plan FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_plan TO plan_history_api;

-- A page of a timeline, and the newest version of the plan.
DROP FUNCTION read_timeline;
CREATE FUNCTION read_timeline(p_clinic uuid, p_plan uuid, p_after integer, p_limit integer)
    RETURNS TABLE (
        "position" bigint, version integer, plan text, recorded_at timestamptz, entry text, command text,
        topic text, state bytea, sentence bytea, corrected_by integer[], addenda integer[],
        in_error_by integer, behind boolean, head integer
    )
    LANGUAGE plpgsql
AS $$
DECLARE
    v_behind boolean;
    v_head   integer;
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    -- Whether the read model lacks the plan's newest entry, and with it perhaps what that says of others.
    SELECT NOT EXISTS (SELECT FROM timeline t WHERE t.clinic_id = e.clinic_id AND t.position = e.position), e.version
        INTO v_behind, v_head
        FROM entries e WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan ORDER BY e.version DESC LIMIT 1;
    RETURN QUERY
        SELECT e.position, e.version, e.plan_id::text, e.recorded_at, e.entry_id::text,
               e.command_id::text, e.topic, e.state, t.sentence, t.corrected_by, t.addenda, t.in_error_by, v_behind,
               v_head
        FROM entries e
        LEFT JOIN LATERAL (  -- looked up row by row: no statistics can mislead to a slower way
            SELECT * FROM timeline l WHERE l.clinic_id = p_clinic AND l.position = e.position LIMIT 1
        ) AS t ON true
        WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan AND e.version > p_after
        ORDER BY e.version LIMIT p_limit;
END
$$;
REVOKE ALL ON FUNCTION read_timeline FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_timeline TO plan_history_api;

-- A page of the worklist, and how long the clinic's log is.
DROP FUNCTION read_worklist;
CREATE FUNCTION read_worklist(
    p_clinic uuid, p_version integer, p_member uuid, p_team boolean, p_today date, p_limit integer
)
    RETURNS TABLE (
        "position" bigint, shown bytea, overdue boolean, due_by date, plan_id uuid, kind text, about text,
        head bigint
    )
    LANGUAGE plpgsql
    -- The index is in the list's order: its first rows are the page, however long the list is.
    SET enable_sort = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    v_head bigint;
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    -- Before all else how long the clinic's log is: a list that holds that position holds everything.
    SELECT l.position INTO v_head FROM clinic_logs l WHERE l.clinic_id = p_clinic;
    -- Then the position, then the page: what is shown is never older than what is said.
    RETURN QUERY
        SELECT coalesce(max(p.position), 0), NULL::bytea, NULL::boolean, NULL::date, NULL::uuid, NULL::text, NULL::text,
               v_head
        FROM projection_positions p
        WHERE p.projection = 'worklist' AND p.version = p_version AND p.clinic_id = p_clinic;
    IF p_team THEN
        RETURN QUERY
            SELECT NULL::bigint, w.shown, w.due_by < p_today, w.due_by, w.plan_id, w.kind, w.about, NULL::bigint
            FROM worklist w
            WHERE w.clinic_id = p_clinic AND w.supervisor_id = p_member
            ORDER BY w.due_by, w.plan_id, w.kind, w.about LIMIT p_limit;
    ELSE
        RETURN QUERY
            SELECT NULL::bigint, w.shown, w.due_by < p_today, w.due_by, w.plan_id, w.kind, w.about, NULL::bigint
            FROM worklist w
            WHERE w.clinic_id = p_clinic AND w.therapist_id = p_member
            ORDER BY w.due_by, w.plan_id, w.kind, w.about LIMIT p_limit;
    END IF;
END
$$;
COMMENT ON FUNCTION read_worklist IS
    'First a row with the position the worklist holds and the end of the log, then the page: each obligation, and whether it is overdue.';
REVOKE ALL ON FUNCTION read_worklist FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_worklist TO plan_history_api;

CREATE FUNCTION note_looks_at_kept(p_looks json) RETURNS boolean[]
    LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan  -- planning anew for each look cost more than all the rest
AS $$
DECLARE
    v_look  record;
    v_holds boolean;
    v_held  boolean[] := '{}';
BEGIN
    -- Each under its own clinic's row-level security, as any other read.
    FOR v_look IN
        SELECT * FROM json_to_recordset(p_looks)
            AS l (clinic_id uuid, plan_id uuid, still_version integer, still_made bigint, still_position bigint)
    LOOP
        v_holds := true;
        IF v_look.still_version IS NOT NULL THEN
            PERFORM set_config('plan_history.clinic_id', v_look.clinic_id::text, true);
            SELECT e.version = v_look.still_version INTO v_holds FROM entries e
                WHERE e.clinic_id = v_look.clinic_id AND e.plan_id = v_look.plan_id ORDER BY e.version DESC LIMIT 1;
            IF v_holds AND v_look.still_made IS NOT NULL THEN
                SELECT c.version = v_look.still_version AND c.xmin::text::bigint = v_look.still_made INTO v_holds
                    FROM current_plans c WHERE c.clinic_id = v_look.clinic_id AND c.plan_id = v_look.plan_id;
            END IF;
        ELSIF v_look.still_position IS NOT NULL THEN
            PERFORM set_config('plan_history.clinic_id', v_look.clinic_id::text, true);
            SELECT l.position = v_look.still_position INTO v_holds
                FROM clinic_logs l WHERE l.clinic_id = v_look.clinic_id;
        END IF;
        v_held := v_held || coalesce(v_holds, false);
    END LOOP;
    IF false = ANY (v_held) THEN
        SELECT json_agg(l.look ORDER BY l.place) INTO p_looks
            FROM json_array_elements(p_looks) WITH ORDINALITY AS l (look, place) WHERE v_held[l.place];
    END IF;
    IF p_looks IS NOT NULL THEN
        PERFORM note_looks(p_looks);
    END IF;
    RETURN v_held;
END
$$;
COMMENT ON FUNCTION note_looks_at_kept IS
    'Keeps the looks at what is still as it was kept, and says of each in order whether it is; the others are not kept.';
REVOKE ALL ON FUNCTION note_looks_at_kept FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_looks_at_kept TO plan_history_api;
