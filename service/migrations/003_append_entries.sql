-- Appending: one function, one round trip, one commit.

CREATE FUNCTION entry_leaf(
    p_clinic uuid, p_position bigint, p_entry uuid, p_plan uuid, p_version integer, p_topic text,
    p_recorded_at timestamptz, p_key uuid, p_state bytea, p_previous bytea
) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT sha256(
        '\x00'::bytea || convert_to('plan-history/leaf/v1', 'UTF8')
        || uuid_send(p_clinic) || int8send(p_position) || uuid_send(p_entry) || uuid_send(p_plan)
        || int4send(p_version) || int4send(octet_length(p_topic)) || convert_to(p_topic, 'UTF8')
        || int8send((extract(epoch FROM p_recorded_at) * 1000000)::bigint)
        || coalesce('\x01'::bytea || uuid_send(p_key), '\x00'::bytea)
        || sha256(p_state)
        || coalesce('\x01'::bytea || p_previous, '\x00'::bytea)
    )
$$;
COMMENT ON FUNCTION entry_leaf IS
    'The Merkle leaf of an entry (RFC 6962 leaf prefix 0x00, fixed-width or length-prefixed fields, '
    'times in microseconds since 1970 UTC): over the stored state, never over plaintext, '
    'chained to the plan''s previous leaf.';

CREATE FUNCTION append_entries(
    p_clinic uuid, p_plan uuid, p_expected integer, p_command uuid,
    p_entry_ids uuid[], p_topics text[], p_states bytea[],
    p_principal uuid DEFAULT NULL, p_key text DEFAULT NULL, p_digest bytea DEFAULT NULL,
    p_client_ref text DEFAULT NULL, p_open boolean DEFAULT NULL, p_alongside boolean DEFAULT false,
    p_recorded_at timestamptz DEFAULT NULL, p_key_id uuid DEFAULT NULL,
    OUT outcome text, OUT plan uuid, OUT first_version integer, OUT last_version integer,
    OUT last_position bigint, OUT recorded timestamptz
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
DECLARE
    v_count   integer := cardinality(p_entry_ids);
    v_command commands;
    v_leaves  bytea[] := '{}';
    v_leaf    bytea;
    v_head    integer;
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    plan := p_plan;

    -- The counter row is the clinic's queue: whoever holds it appends; order is commit order.
    SELECT l.position, greatest(clock_timestamp(), l.recorded_at) INTO last_position, recorded
        FROM clinic_logs l WHERE l.clinic_id = p_clinic FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'unknown-clinic';
        RETURN;
    END IF;

    IF p_key IS NOT NULL THEN
        SELECT * INTO v_command FROM commands c
            WHERE c.clinic_id = p_clinic AND c.principal = p_principal AND c.key = p_key;
        IF FOUND THEN
            outcome := CASE WHEN v_command.request_digest = p_digest THEN 'replayed' ELSE 'key-reused' END;
            plan := v_command.plan_id;
            first_version := v_command.first_version;
            last_version := v_command.last_version;
            recorded := v_command.recorded_at;
            RETURN;
        END IF;
    END IF;

    SELECT e.version, e.leaf INTO v_head, v_leaf FROM entries e
        WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan ORDER BY e.version DESC LIMIT 1;
    IF coalesce(v_head, 0) <> p_expected THEN
        outcome := 'plan-changed';
        last_version := coalesce(v_head, 0);
        RETURN;
    END IF;

    IF p_open AND NOT p_alongside THEN
        SELECT o.plan_id INTO plan FROM open_plans o
            WHERE o.clinic_id = p_clinic AND o.client_ref = p_client_ref AND o.plan_id <> p_plan LIMIT 1;
        IF FOUND THEN
            outcome := 'already-open';
            RETURN;
        END IF;
        plan := p_plan;
    END IF;

    IF p_recorded_at IS NOT NULL THEN
        PERFORM 1 FROM clinics c WHERE c.clinic_id = p_clinic AND c.rehearsal;
        IF NOT FOUND THEN
            outcome := 'not-a-rehearsal';
            RETURN;
        END IF;
        SELECT greatest(p_recorded_at, l.recorded_at) INTO recorded
            FROM clinic_logs l WHERE l.clinic_id = p_clinic;
    END IF;

    FOR i IN 1 .. v_count LOOP
        v_leaf := entry_leaf(p_clinic, last_position + i, p_entry_ids[i], p_plan, p_expected + i,
                             p_topics[i], recorded, p_key_id, p_states[i], v_leaf);
        v_leaves := v_leaves || v_leaf;
    END LOOP;
    INSERT INTO entries (clinic_id, position, plan_id, version, recorded_at, entry_id, command_id,
                         key_id, leaf, topic, state)
        SELECT p_clinic, last_position + n, p_plan, p_expected + n, recorded, entry_id, p_command,
               p_key_id, leaf, topic, state
        FROM unnest(p_entry_ids, p_topics, p_states, v_leaves) WITH ORDINALITY
             AS given (entry_id, topic, state, leaf, n);

    IF p_open THEN
        DELETE FROM open_plans o
            WHERE o.clinic_id = p_clinic AND o.plan_id = p_plan AND o.client_ref <> p_client_ref;
        INSERT INTO open_plans VALUES (p_clinic, p_client_ref, p_plan) ON CONFLICT DO NOTHING;
    ELSIF NOT p_open THEN
        DELETE FROM open_plans o WHERE o.clinic_id = p_clinic AND o.plan_id = p_plan;
    END IF;
    IF p_key IS NOT NULL THEN
        INSERT INTO commands VALUES (p_clinic, p_principal, p_key, p_digest, p_plan,
                                     p_expected + 1, p_expected + v_count, recorded);
    END IF;

    outcome := 'appended';
    first_version := p_expected + 1;
    last_version := p_expected + v_count;
    last_position := last_position + v_count;
    UPDATE clinic_logs l SET position = append_entries.last_position, recorded_at = recorded
        WHERE l.clinic_id = p_clinic;
END
$$;

REVOKE ALL ON FUNCTION append_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_entries TO plan_history_api;
