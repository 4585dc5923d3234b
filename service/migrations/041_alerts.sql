-- A clinic's own alerting: told that something happened, not what was said.

ALTER TABLE webhooks ADD COLUMN carries text NOT NULL DEFAULT 'content'
    CONSTRAINT webhooks_carries CHECK (carries IN ('content', 'metadata'));
COMMENT ON COLUMN webhooks.carries IS
    'content: entries as its integration may see them. metadata: for the clinic''s own alerting, that there was an '
    'emergency access and by whom; no word of it.';
