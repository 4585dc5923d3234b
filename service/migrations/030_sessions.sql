-- Sessions of the pages, and one-time links to begin one. Both stand on a token: they end with it.
-- Only the SHA-256 of what a browser holds is kept.

CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    clinic_id  uuid NOT NULL REFERENCES clinics,
    token_id   uuid NOT NULL REFERENCES tokens,
    digest     bytea NOT NULL UNIQUE,
    began_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at    timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE INDEX sessions_of_token ON sessions (token_id);

CREATE TABLE sign_in_links (
    digest     bytea PRIMARY KEY,
    clinic_id  uuid NOT NULL REFERENCES clinics,
    token_id   uuid NOT NULL REFERENCES tokens,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX sign_in_links_of_token ON sign_in_links (token_id);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE sign_in_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_links FORCE ROW LEVEL SECURITY;
CREATE POLICY every_clinic ON sessions TO plan_history_owner USING (true);
CREATE POLICY every_clinic ON sign_in_links TO plan_history_owner USING (true);

-- As with tokens: looked up before the clinic is known, hence by functions and not by policies.
CREATE FUNCTION begin_session(
    p_session uuid, p_digest bytea, p_token uuid, p_lasts interval
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
    INSERT INTO sessions (session_id, clinic_id, token_id, digest, ends_at)
    SELECT p_session, clinic_id, token_id, p_digest, least(clock_timestamp() + p_lasts, expires_at)
    FROM tokens WHERE token_id = p_token AND revoked_at IS NULL
$$;

-- The token a good session stands on; being asked keeps it awake, at the cost of a write a minute at most.
CREATE FUNCTION use_session(p_digest bytea, p_idle interval)
    RETURNS TABLE (clinic_id uuid, member_id uuid, name text, role text, credential text, token_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_now     timestamptz := clock_timestamp();
    v_session sessions;
BEGIN
    SELECT * INTO v_session FROM sessions s
    WHERE s.digest = p_digest AND s.ended_at IS NULL AND s.ends_at > v_now
      AND s.seen_at > v_now - p_idle;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_session.seen_at < v_now - interval '1 minute' THEN
        UPDATE sessions s SET seen_at = v_now WHERE s.session_id = v_session.session_id;
    END IF;
    RETURN QUERY
        SELECT t.clinic_id, t.member_id, t.name, t.role, t.credential, t.token_id FROM tokens t
        WHERE t.token_id = v_session.token_id AND t.revoked_at IS NULL AND t.expires_at > v_now;
END
$$;

CREATE FUNCTION end_session(p_digest bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$ UPDATE sessions SET ended_at = clock_timestamp() WHERE digest = p_digest AND ended_at IS NULL $$;

CREATE FUNCTION find_sign_in_link(p_digest bytea) RETURNS text
    LANGUAGE sql SECURITY DEFINER STABLE
    SET search_path = plan_history, pg_temp
AS $$
    SELECT t.name FROM sign_in_links l JOIN tokens t USING (token_id)
    WHERE l.digest = p_digest AND l.used_at IS NULL AND l.expires_at > clock_timestamp()
      AND t.revoked_at IS NULL
$$;

-- The token behind a link, once: of two who follow it at the same time one comes through.
CREATE FUNCTION use_sign_in_link(p_digest bytea) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
    UPDATE sign_in_links SET used_at = clock_timestamp()
    WHERE digest = p_digest AND used_at IS NULL AND expires_at > clock_timestamp()
    RETURNING token_id
$$;

REVOKE ALL ON FUNCTION begin_session, use_session, end_session, find_sign_in_link, use_sign_in_link
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_session, use_session, end_session, find_sign_in_link, use_sign_in_link
    TO plan_history_api;
