-- The ledger: what is sealed of each clinic's two logs, its entries and its looks.

CREATE TABLE checkpoints (
    clinic_id   uuid NOT NULL REFERENCES clinics,
    tree        text NOT NULL CHECK (tree IN ('entries', 'access-log')),
    generation  integer NOT NULL DEFAULT 1,
    size        bigint NOT NULL DEFAULT 0,
    note        text,
    keys        bytea[] NOT NULL DEFAULT '{}',
    sealed_at   timestamptz,
    stopped_at  bigint,
    stopped_why text,
    PRIMARY KEY (clinic_id, tree)
) WITH (fillfactor = 50);
COMMENT ON TABLE checkpoints IS 'The newest signed head of each tree. The row''s lock is the sealer''s lease.';
COMMENT ON COLUMN checkpoints.generation IS 'Counts how often the log was begun anew, under another name each time.';
COMMENT ON COLUMN checkpoints.keys IS 'The public keys the note is signed by, the newest first.';
COMMENT ON COLUMN checkpoints.stopped_why IS 'What is wrong with the log, so that nothing more of it is signed; null while all is well.';

CREATE TABLE log_tiles (
    clinic_id uuid NOT NULL REFERENCES clinics,
    tree      text NOT NULL,
    level     smallint NOT NULL,
    number    bigint NOT NULL,
    hashes    bytea NOT NULL,
    PRIMARY KEY (clinic_id, tree, level, number)
) WITH (fillfactor = 80);
COMMENT ON TABLE log_tiles IS 'Up to 256 hashes of 32 bytes in each row, laid out as C2SP tlog-tiles says.';
-- Hashes do not compress, and a single one is read without the rest.
ALTER TABLE log_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE sealed_looks (
    clinic_id uuid NOT NULL REFERENCES clinics,
    look_id   bigint NOT NULL,
    index     bigint NOT NULL,
    PRIMARY KEY (clinic_id, look_id),
    UNIQUE (clinic_id, index)
);
COMMENT ON TABLE sealed_looks IS
    'Which leaf of the tree a look is. Looks have holes in their numbers and may be committed out of order, '
    'so the sealer gives each its place, from 0 without gaps, when it seals it.';

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['checkpoints', 'log_tiles', 'sealed_looks'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY own_clinic ON %I FOR SELECT USING (clinic_id = current_clinic())', v_table);
        EXECUTE format('CREATE POLICY every_clinic ON %I TO plan_history_owner, plan_history_sealer '
                       'USING (true) WITH CHECK (true)', v_table);
    END LOOP;
END
$$;

-- The sealer reads what it seals and writes seals; it can neither change nor remove an entry, a look or a seal's past.
GRANT SELECT ON clinic_logs, entries, access_log TO plan_history_sealer;
CREATE POLICY every_clinic_sealer ON clinic_logs FOR SELECT TO plan_history_sealer USING (true);
CREATE POLICY every_clinic_sealer ON entries FOR SELECT TO plan_history_sealer USING (true);
CREATE POLICY every_clinic_sealer ON access_log FOR SELECT TO plan_history_sealer USING (true);
GRANT SELECT, INSERT ON checkpoints, log_tiles, sealed_looks TO plan_history_sealer;
GRANT UPDATE (size, note, keys, sealed_at, stopped_at, stopped_why) ON checkpoints TO plan_history_sealer;
GRANT UPDATE (hashes) ON log_tiles TO plan_history_sealer;
GRANT SELECT ON checkpoints, log_tiles, sealed_looks TO plan_history_api;

-- How far the seals are behind, over all clinics; of looks no more are counted than tell that many are waiting.
CREATE FUNCTION seal_lag()
    RETURNS TABLE (tree text, behind bigint, clinics_behind bigint, stopped bigint)
    LANGUAGE sql SECURITY DEFINER STABLE
    SET search_path = plan_history, pg_temp
AS $$
    SELECT 'entries', coalesce(sum(greatest(l.position - coalesce(c.size, 0), 0)), 0)::bigint,
           count(*) FILTER (WHERE l.position <> coalesce(c.size, 0)), count(c.stopped_why)
    FROM clinic_logs l LEFT JOIN checkpoints c ON c.clinic_id = l.clinic_id AND c.tree = 'entries'
    UNION ALL
    SELECT 'access-log', count(*), count(DISTINCT unsealed.clinic_id),
           (SELECT count(stopped_why) FROM checkpoints WHERE checkpoints.tree = 'access-log')
    FROM (
        SELECT a.clinic_id FROM clinic_logs l
        CROSS JOIN LATERAL (SELECT coalesce(max(s.look_id), 0) AS look_id FROM sealed_looks s
                            WHERE s.clinic_id = l.clinic_id) AS newest
        JOIN access_log a ON a.clinic_id = l.clinic_id AND a.look_id > newest.look_id
        LIMIT 10000
    ) AS unsealed
$$;
REVOKE ALL ON FUNCTION seal_lag FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seal_lag TO plan_history_api, plan_history_sealer;
