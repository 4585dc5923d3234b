-- Signing in to the pages through the clinic's OpenID Connect issuer. A session stands on a token as ever, so that it
-- is revoked, listed and named in the access log like any other; but this token is one that nobody holds.

ALTER TABLE tokens ADD COLUMN issuer text;
COMMENT ON COLUMN tokens.issuer IS 'Who vouched for the member; null for a token that was issued and shown.';

-- The token of a member for whom the issuer vouches; false when that word was used before. The digest is made here,
-- of something that cannot be a token's text (that begins with ph_): whoever calls this gets a session, and no token.
CREATE FUNCTION vouch(
    p_token uuid, p_clinic uuid, p_once bytea, p_issuer text, p_member uuid, p_name text, p_role text,
    p_credential text, p_lasts interval
) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
BEGIN
    INSERT INTO tokens (token_id, clinic_id, digest, prefix, member_id, name, role, credential, expires_at, issuer)
    VALUES (p_token, p_clinic, sha256(convert_to('vouched for: ', 'UTF8') || p_once), 'oidc', p_member, p_name,
        p_role, p_credential, clock_timestamp() + p_lasts, p_issuer)
    ON CONFLICT (digest) DO NOTHING;
    RETURN FOUND;
END
$$;

-- Ends a session, and the token under it if that was made for it alone: whether it was.
DROP FUNCTION end_session;
CREATE FUNCTION end_session(p_digest bytea) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path = plan_history, pg_temp
AS $$
    WITH ended AS (
        UPDATE sessions SET ended_at = clock_timestamp() WHERE digest = p_digest AND ended_at IS NULL
        RETURNING token_id
    ), revoked AS (
        UPDATE tokens SET revoked_at = clock_timestamp() FROM ended
        WHERE tokens.token_id = ended.token_id AND issuer IS NOT NULL AND revoked_at IS NULL
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM revoked)
$$;
REVOKE ALL ON FUNCTION vouch, end_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vouch, end_session TO plan_history_api;
