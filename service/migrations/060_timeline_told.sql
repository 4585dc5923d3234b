-- A plan's timeline as the JSON the API answers with, put together where its parts lie.

-- Each entry is null, and told by the service, where the read model lacks it or (p_old) its state may
-- be kept in an older format. Moments are told as Python tells them: six digits after the point or none.
CREATE FUNCTION read_told(
    p_clinic uuid, p_plan uuid, p_after integer, p_limit integer, p_late interval, p_old text[]
)
    RETURNS TABLE (entry text, behind boolean)
    LANGUAGE plpgsql
AS $$
DECLARE
    v_behind boolean;
    v_plan   text := '","plan_id":"' || p_plan || '","version":';
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    SELECT NOT EXISTS (SELECT FROM timeline t WHERE t.clinic_id = e.clinic_id AND t.position = e.position)
        INTO v_behind
        FROM entries e WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan ORDER BY e.version DESC LIMIT 1;
    RETURN QUERY
        SELECT '{"entry_id":"' || h.entry_id || v_plan || h.version || ',"position":' || h.position
            || ',"type":"' || h.type || '","sentence":' || to_json(h.sentence)
            || ',"recorded_at":' || h.recorded
            || CASE WHEN h.late THEN ',"late":true' ELSE ',"late":false' END
            || ',"command_id":"' || h.command_id || '",'
            || CASE WHEN coalesce(h.corrected_by, h.addenda) IS NULL AND h.in_error_by IS NULL THEN ''
               ELSE '"corrected_by":' || to_json(coalesce(h.corrected_by, '{}'))
                    || ',"addenda_by":' || to_json(coalesce(h.addenda, '{}'))
                    || ',"in_error_by":' || coalesce(h.in_error_by::text, 'null') || ',' END
            || CASE WHEN h.words LIKE '"occurred_at":%' THEN ''
               ELSE '"occurred_at":' || h.recorded || ',' END
            || h.words,
            v_behind
        FROM (SELECT s.*, CASE length(s.moment) WHEN 28 THEN left(s.moment, 27) WHEN 21 THEN left(s.moment, 20)
                          ELSE rpad(left(s.moment, -1), 27, '0') END || 'Z"' AS recorded
              FROM (SELECT e.entry_id, e.version, e.position, e.command_id, t.type, t.corrected_by, t.addenda,
                           t.in_error_by, e.recorded_at - t.occurred_at > p_late AS late,
                           to_json(e.recorded_at AT TIME ZONE 'UTC')::text AS moment,
                           convert_from(substr(e.state, 2), 'UTF8') AS words,
                           CASE WHEN e.topic <> ALL (p_old) THEN t.sentence END AS sentence
                    FROM entries e
                    LEFT JOIN LATERAL (  -- looked up row by row: no statistics can mislead to a slower way
                        SELECT * FROM timeline l WHERE l.clinic_id = p_clinic AND l.position = e.position LIMIT 1
                    ) AS t ON true
                    WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan AND e.version > p_after
                    ORDER BY e.version LIMIT p_limit) AS s
              OFFSET 0) AS h;
END
$$;
REVOKE ALL ON FUNCTION read_told FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_told TO plan_history_api;
