-- What somebody has typed into a form of the pages and not recorded yet. It is nobody's record: only
-- its writer sees it, and it goes when it is recorded, put away, or a week old.

CREATE TABLE page_drafts (
    clinic_id uuid NOT NULL REFERENCES clinics,
    member_id uuid NOT NULL,
    plan_id   uuid NOT NULL,
    form      bytea NOT NULL,
    saved_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (clinic_id, member_id, plan_id)
);
CREATE INDEX page_drafts_by_age ON page_drafts (saved_at);
ALTER TABLE page_drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE page_drafts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON page_drafts USING (clinic_id = current_clinic());
GRANT SELECT, INSERT, UPDATE, DELETE ON page_drafts TO plan_history_api;
