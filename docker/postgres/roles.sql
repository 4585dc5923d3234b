-- The database roles, made once when the database is first started. What each may do is granted by the migrations.
-- A missing password stops here: psql leaves :'name' as it stands, and that is not SQL.

\set ON_ERROR_STOP on
\getenv owner_password PLAN_HISTORY_OWNER_PASSWORD
\getenv api_password PLAN_HISTORY_API_PASSWORD
\getenv projector_password PLAN_HISTORY_PROJECTOR_PASSWORD
\getenv deliverer_password PLAN_HISTORY_DELIVERER_PASSWORD
\getenv sealer_password PLAN_HISTORY_SEALER_PASSWORD

CREATE ROLE plan_history_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE plan_history_api LOGIN PASSWORD :'api_password';
CREATE ROLE plan_history_projector LOGIN PASSWORD :'projector_password';
CREATE ROLE plan_history_deliverer LOGIN PASSWORD :'deliverer_password';
CREATE ROLE plan_history_sealer LOGIN PASSWORD :'sealer_password';

CREATE DATABASE plan_history OWNER plan_history_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE plan_history FROM PUBLIC;
GRANT CONNECT ON DATABASE plan_history
    TO plan_history_api, plan_history_projector, plan_history_deliverer, plan_history_sealer;
