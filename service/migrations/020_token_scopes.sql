-- The types of entry a token may record: an integration's token records those and no others.

ALTER TABLE tokens ADD COLUMN scopes text[] NOT NULL DEFAULT '{}';
CREATE INDEX tokens_of_member ON tokens (clinic_id, member_id) WHERE revoked_at IS NULL;
