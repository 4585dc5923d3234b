-- Restoring a clinic's log from its export: positions, times and ids unchanged. For the owner alone.

CREATE FUNCTION restore_entries(
    p_clinic uuid, p_first bigint, p_plans uuid[], p_versions integer[], p_entry_ids uuid[],
    p_commands uuid[], p_recorded timestamptz[], p_topics text[], p_states bytea[]
) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = plan_history, pg_temp
AS $$
DECLARE
    v_position bigint;
    v_last     timestamptz;
    v_leaf     bytea;
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    SELECT l.position, l.recorded_at INTO STRICT v_position, v_last
        FROM clinic_logs l WHERE l.clinic_id = p_clinic FOR UPDATE;
    IF p_first <> v_position + 1 THEN
        RAISE EXCEPTION 'position % does not follow %', p_first, v_position USING ERRCODE = 'check_violation';
    END IF;
    FOR i IN 1 .. cardinality(p_plans) LOOP
        IF p_recorded[i] < v_last THEN
            RAISE EXCEPTION 'position % was recorded before the one before it', v_position + 1
                USING ERRCODE = 'check_violation';
        END IF;
        SELECT e.leaf INTO v_leaf FROM entries e
            WHERE e.clinic_id = p_clinic AND e.plan_id = p_plans[i] AND e.version = p_versions[i] - 1;
        IF NOT FOUND AND p_versions[i] > 1 THEN
            RAISE EXCEPTION 'version % of a plan is missing', p_versions[i] - 1 USING ERRCODE = 'check_violation';
        END IF;
        v_position := v_position + 1;
        v_last := p_recorded[i];
        INSERT INTO entries (clinic_id, position, plan_id, version, recorded_at, entry_id, command_id,
                             leaf, topic, state)
            VALUES (p_clinic, v_position, p_plans[i], p_versions[i], v_last, p_entry_ids[i], p_commands[i],
                    entry_leaf(p_clinic, v_position, p_entry_ids[i], p_plans[i], p_versions[i],
                               p_topics[i], v_last, NULL, p_states[i], v_leaf),
                    p_topics[i], p_states[i]);
    END LOOP;
    UPDATE clinic_logs l SET position = v_position, recorded_at = v_last WHERE l.clinic_id = p_clinic;
    RETURN v_position;
END
$$;
REVOKE ALL ON FUNCTION restore_entries FROM PUBLIC;
