-- Bearer tokens: only their SHA-256 is kept, with a prefix people can recognise.

CREATE TABLE tokens (
    token_id     uuid PRIMARY KEY,
    clinic_id    uuid NOT NULL REFERENCES clinics,
    digest       bytea NOT NULL UNIQUE,
    prefix       text NOT NULL,
    member_id    uuid NOT NULL,
    name         text NOT NULL,
    role         text NOT NULL,
    credential   text,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX tokens_of_clinic ON tokens (clinic_id, created_at);

-- A token is looked up before its clinic is known, hence by this function and not by a policy.
CREATE FUNCTION find_token(p_digest bytea) RETURNS SETOF tokens
    LANGUAGE sql SECURITY DEFINER STABLE
    SET search_path = plan_history, pg_temp
AS $$ SELECT * FROM tokens WHERE digest = p_digest $$;

CREATE FUNCTION touch_token(p_token uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$ UPDATE tokens SET last_used_at = clock_timestamp() WHERE token_id = p_token $$;

REVOKE ALL ON FUNCTION find_token, touch_token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_token, touch_token TO plan_history_api;
