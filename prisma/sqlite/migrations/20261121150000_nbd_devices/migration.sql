-- Devices may be exports of other NBD servers: their attachments have no identity, and know what the server offers. The
-- CHECK constraints are by hand.
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
    CONSTRAINT "Device_kind_check" CHECK ("kind" IN ('file', 'loop', 'block', 'nbd')),
    CONSTRAINT "Device_epoch_check" CHECK ("epoch" >= 0)
);
INSERT INTO "new_Device" ("id", "kind", "path", "settings", "readOnly", "transient", "wantedAttached", "epoch", "createTime")
    SELECT "id", "kind", "path", "settings", "readOnly", "transient", "wantedAttached", "epoch", "createTime" FROM "Device";
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
    "remote" TEXT,
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
    -- A final state gives the identity back, and a device that anybody holds has one, or is of another NBD server.
    CONSTRAINT "Attachment_liveIdentity_check" CHECK (
        ("liveIdentity" IS NULL OR ("bootId" IS NOT NULL AND "state" IN ('ATTACHING', 'CONNECTED', 'DRAINING', 'DETACHING')))
        AND ("liveIdentity" IS NOT NULL OR "remote" IS NOT NULL OR "state" NOT IN ('CONNECTED', 'DRAINING', 'DETACHING'))
    ),
    CONSTRAINT "Attachment_remote_check" CHECK ("remote" IS NULL OR "bootId" IS NULL)
);
INSERT INTO "new_Attachment" ("id", "deviceId", "state", "epoch", "bootId", "major", "minor", "inode", "diskseq", "liveIdentity", "verified", "sizeBytes", "errorReason", "errorMessage", "updateTime")
    SELECT "id", "deviceId", "state", "epoch", "bootId", "major", "minor", "inode", "diskseq", "liveIdentity", "verified", "sizeBytes", "errorReason", "errorMessage", "updateTime" FROM "Attachment";
DROP TABLE "Attachment";
ALTER TABLE "new_Attachment" RENAME TO "Attachment";
CREATE UNIQUE INDEX "Attachment_deviceId_key" ON "Attachment"("deviceId");
CREATE UNIQUE INDEX "Attachment_liveIdentity_key" ON "Attachment"("liveIdentity");
