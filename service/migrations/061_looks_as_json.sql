-- Looks come as one JSON text: fourteen arrays cost the service more than the row costs the database.

DROP FUNCTION note_looks;
CREATE FUNCTION note_looks(p_looks json) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
    INSERT INTO access_log (clinic_id, member_id, token_id, name, role, action, plan_id, version, asked, why,
        view, allowed, address, request_id)
    SELECT * FROM json_to_recordset(p_looks) AS look (clinic_id uuid, member_id uuid, token_id uuid, name text,
        role text, action text, plan_id uuid, version integer, asked text, why text, view text,
        allowed boolean, address text, request_id text)
$$;
REVOKE ALL ON FUNCTION note_looks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_looks TO plan_history_api;
