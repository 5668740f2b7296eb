-- Who may do what in PostgreSQL. Run once by its superuser with psql 15 or later, before the first `bot db migrate`;
-- the passwords come from the environment: POSTGRES_OWNER_PASSWORD, POSTGRES_DESK_PASSWORD, POSTGRES_TRACKER_PASSWORD.
--   desk_owner    owns the accounts database; migrates and restores
--   desk          reads and writes rows there; makes, alters and drops nothing
--   desk_tracker  owns Rasa's tracker and can open nothing else
\set ON_ERROR_STOP on
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv desk_password POSTGRES_DESK_PASSWORD
\getenv tracker_password POSTGRES_TRACKER_PASSWORD

CREATE ROLE desk_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE desk LOGIN PASSWORD :'desk_password';
CREATE ROLE desk_tracker LOGIN PASSWORD :'tracker_password';

CREATE DATABASE desk OWNER desk_owner;
CREATE DATABASE tracker OWNER desk_tracker;
REVOKE ALL ON DATABASE desk, tracker, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE desk TO desk;

\connect desk
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO desk;
-- Also for the tables of later migrations.
ALTER DEFAULT PRIVILEGES FOR ROLE desk_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO desk;
ALTER DEFAULT PRIVILEGES FOR ROLE desk_owner IN SCHEMA public GRANT SELECT, USAGE ON SEQUENCES TO desk;
