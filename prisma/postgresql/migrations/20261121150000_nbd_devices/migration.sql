-- Devices may be exports of other NBD servers: their attachments have no identity, and know what the server offers. The
-- CHECK constraints are by hand.

ALTER TABLE "Device"
    DROP CONSTRAINT "Device_kind_check",
    ADD CONSTRAINT "Device_kind_check" CHECK ("kind" IN ('file', 'loop', 'block', 'nbd'));

ALTER TABLE "Attachment"
    ADD COLUMN "remote" TEXT,
    ADD CONSTRAINT "Attachment_remote_check" CHECK ("remote" IS NULL OR "bootId" IS NULL),
    DROP CONSTRAINT "Attachment_liveIdentity_check",
    ADD CONSTRAINT "Attachment_liveIdentity_check" CHECK (
        ("liveIdentity" IS NULL OR ("bootId" IS NOT NULL AND "state" IN ('ATTACHING', 'CONNECTED', 'DRAINING', 'DETACHING')))
        AND ("liveIdentity" IS NOT NULL OR "remote" IS NOT NULL OR "state" NOT IN ('CONNECTED', 'DRAINING', 'DETACHING'))
    );
