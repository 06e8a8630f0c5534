-- Each change of state has a record of who, when and why. Leases have a state, may be exclusive, and know whose client
-- they are for. The CHECK constraints and the index of exclusive leases are by hand.

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
