-- How many requests each member may still make at once: a bucket that fills by itself.
-- Unlogged: after a crash every bucket is full again, which harms nobody.

CREATE UNLOGGED TABLE quotas (
    clinic_id  uuid NOT NULL REFERENCES clinics,
    member_id  uuid NOT NULL,
    remaining  double precision NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (clinic_id, member_id)
) WITH (fillfactor = 50);

ALTER TABLE quotas ENABLE ROW LEVEL SECURITY;
ALTER TABLE quotas FORCE ROW LEVEL SECURITY;
CREATE POLICY every_clinic ON quotas TO plan_history_owner USING (true) WITH CHECK (true);

-- Takes up to p_wanted out of the bucket; when there is nothing in it, says how many seconds to wait.
CREATE FUNCTION take_quota(
    p_clinic uuid, p_member uuid, p_wanted integer, p_per_second double precision, p_burst integer
)
    RETURNS TABLE (granted integer, seconds double precision)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
DECLARE
    v_remaining double precision;
    v_counted_at timestamptz;
    v_now timestamptz;
BEGIN
    INSERT INTO quotas VALUES (p_clinic, p_member, p_burst, clock_timestamp()) ON CONFLICT DO NOTHING;
    SELECT q.remaining, q.counted_at INTO v_remaining, v_counted_at FROM quotas q
        WHERE q.clinic_id = p_clinic AND q.member_id = p_member FOR UPDATE;
    v_now := greatest(clock_timestamp(), v_counted_at);
    v_remaining := least(v_remaining + p_per_second * extract(epoch FROM v_now - v_counted_at), p_burst);
    granted := least(p_wanted, floor(v_remaining));
    seconds := CASE WHEN granted > 0 THEN 0 ELSE (1 - v_remaining) / p_per_second END;
    UPDATE quotas q SET remaining = v_remaining - granted, counted_at = v_now
        WHERE q.clinic_id = p_clinic AND q.member_id = p_member;
    RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION take_quota FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_quota TO plan_history_api;
