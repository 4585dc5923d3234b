-- Whether new keys may be begun is for every process to know; that there are other clinics is not.

CREATE FUNCTION anything_sealed() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM entries WHERE key_id IS NOT NULL)
$$;
COMMENT ON FUNCTION anything_sealed IS
    'Whether an entry of any clinic is sealed with a key: yes or no, and nothing else.';
REVOKE ALL ON FUNCTION anything_sealed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION anything_sealed
    TO plan_history_api, plan_history_projector, plan_history_deliverer;
