-- The roles of the service and the schema they share. Needs a user who may create roles, once per server.
-- Each role is NOLOGIN: connect as a login user who is a member and let the session take the role.

DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['plan_history_owner', 'plan_history_api', 'plan_history_projector'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- another database of this server was quicker
            END;
        END IF;
        IF NOT pg_has_role(current_user, v_role, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO %I', v_role, current_user);
        END IF;
    END LOOP;
END
$$;
CREATE SCHEMA IF NOT EXISTS plan_history AUTHORIZATION plan_history_owner;
GRANT USAGE ON SCHEMA plan_history TO plan_history_api, plan_history_projector;
