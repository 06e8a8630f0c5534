-- Each change of state has a record of who, when and why. Leases have a state, may be exclusive, and know whose client
-- they are for. The CHECK constraints and the index of exclusive leases are by hand, and the table that SQLite
-- makes anew keeps the highest number that it gave.

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
