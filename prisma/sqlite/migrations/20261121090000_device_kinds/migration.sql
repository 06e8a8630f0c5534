-- Loop devices and block devices that must be the ones meant, beside files; and whether an attached device was compared
-- with what somebody expected. SQLite cannot change a CHECK constraint: the table is made anew (foreign keys are not
-- enforced meanwhile, and checked before the commit).

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

ALTER TABLE "Attachment" ADD COLUMN "verified" BOOLEAN NOT NULL DEFAULT false;
