-- Erasing a client: what the API may forget beside the keys, which are not here.

CREATE FUNCTION forget_client(p_clinic uuid, p_plans uuid[], p_members uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    -- Only what the clinic's own log says was erased: calling this forgets nothing else.
    SELECT coalesce(array_agg(plan.id), '{}'), coalesce(array_agg(member.id), '{}') INTO p_plans, p_members
    FROM entries e
    CROSS JOIN LATERAL (SELECT convert_from(e.state, 'UTF8')::jsonb -> 'data' AS data OFFSET 0) AS said
    LEFT JOIN LATERAL (
        SELECT said_id::uuid AS id FROM jsonb_array_elements_text(said.data -> 'plan_ids') AS held (said_id)
        WHERE said_id::uuid = ANY (p_plans)
    ) AS plan ON true
    LEFT JOIN LATERAL (
        SELECT said_id::uuid AS id FROM jsonb_array_elements_text(said.data -> 'member_ids') AS held (said_id)
        WHERE said_id::uuid = ANY (p_members)
    ) AS member ON true
    WHERE e.clinic_id = p_clinic AND e.plan_id = p_clinic AND e.topic = 'clinic.client-erased';
    DELETE FROM open_plans WHERE clinic_id = p_clinic AND plan_id = ANY (p_plans);
    DELETE FROM commands WHERE clinic_id = p_clinic AND plan_id = ANY (p_plans);
    DELETE FROM page_drafts WHERE clinic_id = p_clinic AND plan_id = ANY (p_plans);
    UPDATE tokens SET name = '(erased)', credential = NULL,
                      revoked_at = coalesce(revoked_at, clock_timestamp())
        WHERE clinic_id = p_clinic AND member_id = ANY (p_members);
END
$$;
COMMENT ON FUNCTION forget_client IS
    'Removes what is kept of an erased client beside the record: claims, idempotency keys, drafts, names of tokens.';
REVOKE ALL ON FUNCTION forget_client FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_client TO plan_history_api;

CREATE POLICY every_clinic ON commands TO plan_history_owner USING (true);
CREATE POLICY every_clinic ON page_drafts TO plan_history_owner USING (true);
