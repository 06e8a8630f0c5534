-- Devices, attachments, leases, exports. Written by `prisma migrate diff`, then by hand: the CHECK constraints, and
-- INTEGER … AUTOINCREMENT for the lease number (Prisma writes BIGINT, which SQLite never fills in by itself).

CREATE TABLE "Device" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "readOnly" BOOLEAN NOT NULL,
    "transient" BOOLEAN NOT NULL,
    "wantedAttached" BOOLEAN NOT NULL DEFAULT false,
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "createTime" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Device_kind_check" CHECK ("kind" IN ('file')),
    CONSTRAINT "Device_epoch_check" CHECK ("epoch" >= 0)
);

CREATE TABLE "Attachment" (
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
    "sizeBytes" BIGINT NOT NULL DEFAULT 0,
    "errorReason" TEXT NOT NULL DEFAULT '',
    "errorMessage" TEXT NOT NULL DEFAULT '',
    "updateTime" DATETIME NOT NULL,
    CONSTRAINT "Attachment_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device" ("id") ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT "Attachment_state_check" CHECK ("state" IN ('ATTACHING', 'CONNECTED', 'DETACHING', 'RELEASED', 'FAILED', 'LOST')),
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
        ("liveIdentity" IS NULL OR ("bootId" IS NOT NULL AND "state" IN ('ATTACHING', 'CONNECTED', 'DETACHING')))
        AND ("liveIdentity" IS NOT NULL OR "state" NOT IN ('CONNECTED', 'DETACHING'))
    )
);

CREATE TABLE "Lease" (
    "number" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "deviceId" TEXT NOT NULL,
    "attachmentId" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "access" TEXT NOT NULL,
    "session" TEXT NOT NULL,
    "workerInstance" TEXT NOT NULL,
    "createTime" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Lease_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "Lease_attachmentId_fkey" FOREIGN KEY ("attachmentId") REFERENCES "Attachment" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "Lease_number_check" CHECK ("number" >= 1),
    CONSTRAINT "Lease_epoch_check" CHECK ("epoch" >= 1),
    CONSTRAINT "Lease_access_check" CHECK ("access" IN ('READ_ONLY', 'READ_WRITE'))
);

CREATE TABLE "Export" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "deviceId" TEXT NOT NULL,
    "readOnly" BOOLEAN NOT NULL,
    "description" TEXT NOT NULL,
    "transient" BOOLEAN NOT NULL,
    "createTime" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Export_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT
);

CREATE UNIQUE INDEX "Attachment_deviceId_key" ON "Attachment"("deviceId");
CREATE UNIQUE INDEX "Attachment_liveIdentity_key" ON "Attachment"("liveIdentity");
CREATE UNIQUE INDEX "Lease_session_key" ON "Lease"("session");
CREATE INDEX "Lease_deviceId_idx" ON "Lease"("deviceId");
CREATE INDEX "Lease_attachmentId_idx" ON "Lease"("attachmentId");
CREATE INDEX "Export_deviceId_idx" ON "Export"("deviceId");
