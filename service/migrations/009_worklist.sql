-- The worklist as it is asked for most: its first page, all kinds, in one round trip.

CREATE FUNCTION read_worklist(
    p_clinic uuid, p_version integer, p_member uuid, p_team boolean, p_today date, p_limit integer
)
    RETURNS TABLE ("position" bigint, shown bytea, overdue boolean)
    LANGUAGE plpgsql
    -- The index is in the list's order: its first rows are the page, however long the list is.
    SET enable_sort = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    -- First the position, then the page: what is shown is never older than what is said.
    RETURN QUERY
        SELECT coalesce(max(p.position), 0), NULL::bytea, NULL::boolean FROM projection_positions p
        WHERE p.projection = 'worklist' AND p.version = p_version AND p.clinic_id = p_clinic;
    IF p_team THEN
        RETURN QUERY
            SELECT NULL::bigint, w.shown, w.due_by < p_today FROM worklist w
            WHERE w.clinic_id = p_clinic AND w.supervisor_id = p_member
            ORDER BY w.due_by, w.plan_id, w.kind, w.about LIMIT p_limit;
    ELSE
        RETURN QUERY
            SELECT NULL::bigint, w.shown, w.due_by < p_today FROM worklist w
            WHERE w.clinic_id = p_clinic AND w.therapist_id = p_member
            ORDER BY w.due_by, w.plan_id, w.kind, w.about LIMIT p_limit;
    END IF;
END
$$;
COMMENT ON FUNCTION read_worklist IS
    'First a row with the position the worklist holds, then the page: each obligation, and whether it is overdue.';
REVOKE ALL ON FUNCTION read_worklist FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_worklist TO plan_history_api;
