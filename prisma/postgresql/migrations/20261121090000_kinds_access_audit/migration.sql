-- Devices are files, loop devices, or block devices that must be the ones meant. Attachments may be draining, and know
-- whether they were verified. Leases have a state, may be exclusive, and know whose client they are for. Each change of
-- state has a record of who, when and why. The CHECK constraints and the index of exclusive leases are by hand.

ALTER TABLE "Device"
    ADD COLUMN "settings" TEXT NOT NULL DEFAULT '{}',
    DROP CONSTRAINT "Device_kind_check",
    ADD CONSTRAINT "Device_kind_check" CHECK ("kind" IN ('file', 'loop', 'block'));

ALTER TABLE "Attachment"
    ADD COLUMN "verified" BOOLEAN NOT NULL DEFAULT false,
    DROP CONSTRAINT "Attachment_state_check",
    ADD CONSTRAINT "Attachment_state_check" CHECK ("state" IN ('ATTACHING', 'CONNECTED', 'DRAINING', 'DETACHING', 'RELEASED', 'FAILED', 'LOST')),
    DROP CONSTRAINT "Attachment_liveIdentity_check",
    ADD CONSTRAINT "Attachment_liveIdentity_check" CHECK (
        ("liveIdentity" IS NULL OR ("bootId" IS NOT NULL AND "state" IN ('ATTACHING', 'CONNECTED', 'DRAINING', 'DETACHING')))
        AND ("liveIdentity" IS NOT NULL OR "state" NOT IN ('CONNECTED', 'DRAINING', 'DETACHING'))
    );

CREATE TABLE "Audit" (
    "number" BIGSERIAL NOT NULL,
    "time" TIMESTAMP(3) NOT NULL,
    "deviceId" TEXT NOT NULL,
    "attachmentId" TEXT,
    "lease" BIGINT,
    "from" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    CONSTRAINT "Audit_pkey" PRIMARY KEY ("number")
);

ALTER TABLE "Lease"
    ADD COLUMN "state" TEXT NOT NULL DEFAULT 'GRANTED',
    ADD COLUMN "clientGroup" TEXT NOT NULL DEFAULT '',
    DROP CONSTRAINT "Lease_access_check",
    ADD CONSTRAINT "Lease_access_check" CHECK ("access" IN ('READ_ONLY', 'READ_WRITE', 'EXCLUSIVE')),
    ADD CONSTRAINT "Lease_state_check" CHECK ("state" IN ('GRANTED', 'FENCED'));
CREATE UNIQUE INDEX "Lease_exclusive_key" ON "Lease" ("deviceId") WHERE "access" = 'EXCLUSIVE';
