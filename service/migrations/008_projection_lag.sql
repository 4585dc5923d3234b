-- The lag of a projection counts the clinics it has not begun with, too: a projector that never ran is behind.

DROP FUNCTION projection_lag();
CREATE FUNCTION projection_lag(p_projections text[] DEFAULT '{}')
    RETURNS TABLE (projection text, behind bigint, clinics_behind bigint, stopped bigint)
    LANGUAGE sql SECURITY DEFINER STABLE
    SET search_path = plan_history, pg_temp
AS $$
    SELECT known.projection, coalesce(sum(l.position - coalesce(p.position, 0)), 0)::bigint,
           count(*) FILTER (WHERE l.position > coalesce(p.position, 0)), count(p.stopped_at)
    FROM (SELECT unnest(p_projections) UNION SELECT projection FROM projection_positions) AS known (projection)
    CROSS JOIN clinic_logs l
    LEFT JOIN projection_positions p ON p.projection = known.projection AND p.clinic_id = l.clinic_id
    GROUP BY known.projection
$$;
COMMENT ON FUNCTION projection_lag IS
    'How far each projection is behind; p_projections names those there should be, begun or not.';
REVOKE ALL ON FUNCTION projection_lag FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projection_lag TO plan_history_api, plan_history_projector;
