-- What is kept of a plan may be sealed with a key of its own: a state then begins with 0x01 and the key's id.

-- The read models keep other columns from here on. They are disposable: the projector makes them anew.
DROP TABLE IF EXISTS current_plans, timeline, worklist, measures, people, clinic_figures,
    current_plans_old, timeline_old, worklist_old, measures_old, people_old, clinic_figures_old,
    current_plans_new, timeline_new, worklist_new, measures_new, people_new, clinic_figures_new;
DELETE FROM projection_positions;

-- A page of a timeline is put together by the service, which alone can open it.
DROP FUNCTION read_told;
DROP FUNCTION read_timeline;
CREATE FUNCTION read_timeline(p_clinic uuid, p_plan uuid, p_after integer, p_limit integer)
    RETURNS TABLE (
        "position" bigint, version integer, plan text, recorded_at timestamptz, entry text, command text,
        topic text, state bytea, sentence bytea, corrected_by integer[], addenda integer[],
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
        LEFT JOIN LATERAL (  -- looked up row by row: no statistics can mislead to a slower way
            SELECT * FROM timeline l WHERE l.clinic_id = p_clinic AND l.position = e.position LIMIT 1
        ) AS t ON true
        WHERE e.clinic_id = p_clinic AND e.plan_id = p_plan AND e.version > p_after
        ORDER BY e.version LIMIT p_limit;
END
$$;
REVOKE ALL ON FUNCTION read_timeline FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_timeline TO plan_history_api;

DROP FUNCTION read_worklist;
CREATE FUNCTION read_worklist(
    p_clinic uuid, p_version integer, p_member uuid, p_team boolean, p_today date, p_limit integer
)
    RETURNS TABLE (
        "position" bigint, shown bytea, overdue boolean, due_by date, plan_id uuid, kind text, about text
    )
    LANGUAGE plpgsql
    -- The index is in the list's order: its first rows are the page, however long the list is.
    SET enable_sort = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('plan_history.clinic_id', p_clinic::text, true);
    -- First the position, then the page: what is shown is never older than what is said.
    RETURN QUERY
        SELECT coalesce(max(p.position), 0), NULL::bytea, NULL::boolean, NULL::date, NULL::uuid, NULL::text, NULL::text
        FROM projection_positions p
        WHERE p.projection = 'worklist' AND p.version = p_version AND p.clinic_id = p_clinic;
    IF p_team THEN
        RETURN QUERY
            SELECT NULL::bigint, w.shown, w.due_by < p_today, w.due_by, w.plan_id, w.kind, w.about FROM worklist w
            WHERE w.clinic_id = p_clinic AND w.supervisor_id = p_member
            ORDER BY w.due_by, w.plan_id, w.kind, w.about LIMIT p_limit;
    ELSE
        RETURN QUERY
            SELECT NULL::bigint, w.shown, w.due_by < p_today, w.due_by, w.plan_id, w.kind, w.about FROM worklist w
            WHERE w.clinic_id = p_clinic AND w.therapist_id = p_member
            ORDER BY w.due_by, w.plan_id, w.kind, w.about LIMIT p_limit;
    END IF;
END
$$;
COMMENT ON FUNCTION read_worklist IS
    'First a row with the position the worklist holds, then the page: each obligation, and whether it is overdue.';
REVOKE ALL ON FUNCTION read_worklist FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_worklist TO plan_history_api;

-- Restoring takes the keys' ids along: they are part of the leaves.
DROP FUNCTION restore_entries;
CREATE FUNCTION restore_entries(
    p_clinic uuid, p_first bigint, p_plans uuid[], p_versions integer[], p_entry_ids uuid[],
    p_commands uuid[], p_recorded timestamptz[], p_topics text[], p_keys uuid[], p_states bytea[]
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
                             key_id, leaf, topic, state)
            VALUES (p_clinic, v_position, p_plans[i], p_versions[i], v_last, p_entry_ids[i], p_commands[i],
                    p_keys[i],
                    entry_leaf(p_clinic, v_position, p_entry_ids[i], p_plans[i], p_versions[i],
                               p_topics[i], v_last, p_keys[i], p_states[i], v_leaf),
                    p_topics[i], p_states[i]);
    END LOOP;
    UPDATE clinic_logs l SET position = v_position, recorded_at = v_last WHERE l.clinic_id = p_clinic;
    RETURN v_position;
END
$$;
REVOKE ALL ON FUNCTION restore_entries FROM PUBLIC;

-- Appending as before, each entry with the key its state is sealed with.
DROP FUNCTION append_entries;
CREATE FUNCTION append_entries(
    p_clinic uuid, p_plan uuid, p_expected integer, p_command uuid,
    p_entry_ids uuid[], p_topics text[], p_states bytea[],
    p_principal uuid DEFAULT NULL, p_key text DEFAULT NULL, p_digest bytea DEFAULT NULL,
    p_client_ref text DEFAULT NULL, p_open boolean DEFAULT NULL, p_alongside boolean DEFAULT false,
    p_recorded_at timestamptz DEFAULT NULL, p_keys uuid[] DEFAULT NULL,
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
                             p_topics[i], recorded, p_keys[i], p_states[i], v_leaf);
        v_leaves := v_leaves || v_leaf;
    END LOOP;
    INSERT INTO entries (clinic_id, position, plan_id, version, recorded_at, entry_id, command_id,
                         key_id, leaf, topic, state)
        SELECT p_clinic, last_position + n, p_plan, p_expected + n, recorded, entry_id, p_command,
               key_id, leaf, topic, state
        FROM unnest(p_entry_ids, p_topics, p_states, p_keys, v_leaves) WITH ORDINALITY
             AS given (entry_id, topic, state, key_id, leaf, n);

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
