-- Devices, attachments, leases, exports. Written by `prisma migrate diff`, then by hand: the CHECK constraints, and
-- COLLATE "C" for ids, so that a list has the same order whatever locale the database was made with.

CREATE TABLE "Device" (
    "id" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "readOnly" BOOLEAN NOT NULL,
    "transient" BOOLEAN NOT NULL,
    "wantedAttached" BOOLEAN NOT NULL DEFAULT false,
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "createTime" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Device_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "Device_kind_check" CHECK ("kind" IN ('file')),
    CONSTRAINT "Device_epoch_check" CHECK ("epoch" >= 0)
);

CREATE TABLE "Attachment" (
    "id" TEXT COLLATE "C" NOT NULL,
    "deviceId" TEXT COLLATE "C" NOT NULL,
    "state" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "bootId" TEXT,
    "major" INTEGER,
    "minor" INTEGER,
    "inode" TEXT,
    "diskseq" TEXT,
    "liveIdentity" TEXT COLLATE "C",
    "sizeBytes" BIGINT NOT NULL DEFAULT 0,
    "errorReason" TEXT NOT NULL DEFAULT '',
    "errorMessage" TEXT NOT NULL DEFAULT '',
    "updateTime" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Attachment_pkey" PRIMARY KEY ("id"),
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
    "number" BIGSERIAL NOT NULL,
    "deviceId" TEXT COLLATE "C" NOT NULL,
    "attachmentId" TEXT COLLATE "C" NOT NULL,
    "epoch" BIGINT NOT NULL,
    "access" TEXT NOT NULL,
    "session" TEXT COLLATE "C" NOT NULL,
    "workerInstance" TEXT NOT NULL,
    "createTime" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Lease_pkey" PRIMARY KEY ("number"),
    CONSTRAINT "Lease_number_check" CHECK ("number" >= 1),
    CONSTRAINT "Lease_epoch_check" CHECK ("epoch" >= 1),
    CONSTRAINT "Lease_access_check" CHECK ("access" IN ('READ_ONLY', 'READ_WRITE'))
);

CREATE TABLE "Export" (
    "id" TEXT COLLATE "C" NOT NULL,
    "deviceId" TEXT COLLATE "C" NOT NULL,
    "readOnly" BOOLEAN NOT NULL,
    "description" TEXT NOT NULL,
    "transient" BOOLEAN NOT NULL,
    "createTime" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Export_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "Attachment_deviceId_key" ON "Attachment"("deviceId");
CREATE UNIQUE INDEX "Attachment_liveIdentity_key" ON "Attachment"("liveIdentity");
CREATE UNIQUE INDEX "Lease_session_key" ON "Lease"("session");
CREATE INDEX "Lease_deviceId_idx" ON "Lease"("deviceId");
CREATE INDEX "Lease_attachmentId_idx" ON "Lease"("attachmentId");
CREATE INDEX "Export_deviceId_idx" ON "Export"("deviceId");

ALTER TABLE "Attachment" ADD CONSTRAINT "Attachment_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device"("id") ON DELETE CASCADE ON UPDATE RESTRICT;
ALTER TABLE "Lease" ADD CONSTRAINT "Lease_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "Lease" ADD CONSTRAINT "Lease_attachmentId_fkey" FOREIGN KEY ("attachmentId") REFERENCES "Attachment"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "Export" ADD CONSTRAINT "Export_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;
