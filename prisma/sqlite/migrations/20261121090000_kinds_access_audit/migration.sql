-- Devices are files, loop devices, or block devices that must be the ones meant. Attachments may be draining, and know
-- whether they were verified. Leases have a state, may be exclusive, and know whose client they are for. Each change of
-- state has a record of who, when and why. The CHECK constraints and the index of exclusive leases are by hand.
-- SQLite cannot change a CHECK constraint: the tables are made anew (foreign keys are not enforced meanwhile, and checked
-- before the commit).

CREATE TABLE "new_Device" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "settings" TEXT NOT NULL DEFAULT '{}',
    "readOnly" BOOLEAN NOT NULL,
    "transient" BOOLEAN NOT NULL,
    "wantedAttached" BOOLEAN NOT NULL DEFAULT false,
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "createTime" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Device_kind_check" CHECK ("kind" IN ('file', 'loop', 'block')),
    CONSTRAINT "Device_epoch_check" CHECK ("epoch" >= 0)
);
INSERT INTO "new_Device" ("id", "kind", "path", "readOnly", "transient", "wantedAttached", "epoch", "createTime")
    SELECT "id", "kind", "path", "readOnly", "transient", "wantedAttached", "epoch", "createTime" FROM "Device";
DROP TABLE "Device";
ALTER TABLE "new_Device" RENAME TO "Device";

CREATE TABLE "new_Attachment" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "deviceId" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "bootId" TEXT,
    "major" INTEGER,
    "minor" INTEGER,
    "inode" TEXT,
    "diskseq" TEXT,
    "liveIdentity" TEXT,
    "verified" BOOLEAN NOT NULL DEFAULT false,
    "sizeBytes" BIGINT NOT NULL DEFAULT 0,
    "errorReason" TEXT NOT NULL DEFAULT '',
    "errorMessage" TEXT NOT NULL DEFAULT '',
    "updateTime" DATETIME NOT NULL,
    CONSTRAINT "Attachment_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device" ("id") ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT "Attachment_state_check" CHECK ("state" IN ('ATTACHING', 'CONNECTED', 'DRAINING', 'DETACHING', 'RELEASED', 'FAILED', 'LOST')),
    CONSTRAINT "Attachment_epoch_check" CHECK ("epoch" >= 1),
    CONSTRAINT "Attachment_sizeBytes_check" CHECK ("sizeBytes" BETWEEN 0 AND 9007199254740991),
    -- An identity is whole or absent.
    CONSTRAINT "Attachment_identity_check" CHECK (
        ("bootId" IS NULL) = ("major" IS NULL)
        AND ("bootId" IS NULL) = ("minor" IS NULL)
        AND ("bootId" IS NULL) = ("inode" IS NULL)
        AND ("diskseq" IS NULL OR "bootId" IS NOT NULL)
    ),
    -- A final state gives the identity back, and a device that anybody holds has one.
    CONSTRAINT "Attachment_liveIdentity_check" CHECK (
        ("liveIdentity" IS NULL OR ("bootId" IS NOT NULL AND "state" IN ('ATTACHING', 'CONNECTED', 'DRAINING', 'DETACHING')))
        AND ("liveIdentity" IS NOT NULL OR "state" NOT IN ('CONNECTED', 'DRAINING', 'DETACHING'))
    )
);
INSERT INTO "new_Attachment" ("id", "deviceId", "state", "epoch", "bootId", "major", "minor", "inode", "diskseq", "liveIdentity", "sizeBytes", "errorReason", "errorMessage", "updateTime")
    SELECT "id", "deviceId", "state", "epoch", "bootId", "major", "minor", "inode", "diskseq", "liveIdentity", "sizeBytes", "errorReason", "errorMessage", "updateTime" FROM "Attachment";
DROP TABLE "Attachment";
ALTER TABLE "new_Attachment" RENAME TO "Attachment";
CREATE UNIQUE INDEX "Attachment_deviceId_key" ON "Attachment"("deviceId");
CREATE UNIQUE INDEX "Attachment_liveIdentity_key" ON "Attachment"("liveIdentity");

CREATE TABLE "Audit" (
    "number" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "time" DATETIME NOT NULL,
    "deviceId" TEXT NOT NULL,
    "attachmentId" TEXT,
    "lease" BIGINT,
    "from" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "reason" TEXT NOT NULL
);

CREATE TABLE "new_Lease" (
    "number" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "deviceId" TEXT NOT NULL,
    "attachmentId" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'GRANTED',
    "access" TEXT NOT NULL,
    "clientGroup" TEXT NOT NULL DEFAULT '',
    "session" TEXT NOT NULL,
    "workerInstance" TEXT NOT NULL,
    "createTime" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Lease_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "Lease_attachmentId_fkey" FOREIGN KEY ("attachmentId") REFERENCES "Attachment" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "Lease_number_check" CHECK ("number" >= 1),
    CONSTRAINT "Lease_epoch_check" CHECK ("epoch" >= 1),
    CONSTRAINT "Lease_state_check" CHECK ("state" IN ('GRANTED', 'FENCED')),
    CONSTRAINT "Lease_access_check" CHECK ("access" IN ('READ_ONLY', 'READ_WRITE', 'EXCLUSIVE'))
);
INSERT INTO "new_Lease" ("number", "deviceId", "attachmentId", "epoch", "access", "session", "workerInstance", "createTime")
    SELECT "number", "deviceId", "attachmentId", "epoch", "access", "session", "workerInstance", "createTime" FROM "Lease";
-- No number is given twice, not even one whose lease is gone.
DELETE FROM sqlite_sequence WHERE "name" = 'new_Lease';
UPDATE sqlite_sequence SET "name" = 'new_Lease' WHERE "name" = 'Lease';
DROP TABLE "Lease";
ALTER TABLE "new_Lease" RENAME TO "Lease";
CREATE UNIQUE INDEX "Lease_session_key" ON "Lease"("session");
CREATE INDEX "Lease_deviceId_idx" ON "Lease"("deviceId");
CREATE INDEX "Lease_attachmentId_idx" ON "Lease"("attachmentId");
CREATE UNIQUE INDEX "Lease_exclusive_key" ON "Lease" ("deviceId") WHERE "access" = 'EXCLUSIVE';
