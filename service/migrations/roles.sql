-- The roles of the service and the schema they share. Needs a user who may create roles, once per server.
-- Each role is NOLOGIN: connect as a login user who is a member and let the session take the role.

DO $$
DECLARE
    v_role text;
    -- From 16 on a member may lack the right to take the role, as who created it does at first.
    v_taken text := CASE WHEN current_setting('server_version_num')::integer < 160000
                         THEN 'MEMBER' ELSE 'SET' END;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['plan_history_owner', 'plan_history_api', 'plan_history_projector',
                                  'plan_history_deliverer', 'plan_history_sealer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- another database of this server was quicker
            END;
        END IF;
        IF NOT pg_has_role(current_user, v_role, v_taken) THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', v_role, current_user);
            EXCEPTION WHEN insufficient_privilege THEN
                IF v_role = 'plan_history_owner' THEN
                    RAISE;
                END IF;
                -- the others sign in as themselves; who migrates need not be able to be them
            END;
        END IF;
    END LOOP;
END
$$;
CREATE SCHEMA IF NOT EXISTS plan_history AUTHORIZATION plan_history_owner;
GRANT USAGE ON SCHEMA plan_history
    TO plan_history_api, plan_history_projector, plan_history_deliverer, plan_history_sealer;
