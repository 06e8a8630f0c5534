-- Loop devices and block devices that must be the ones meant, beside files; and whether an attached device was compared
-- with what somebody expected. The CHECK constraint is by hand.

ALTER TABLE "Device"
    ADD COLUMN "settings" TEXT NOT NULL DEFAULT '{}',
    DROP CONSTRAINT "Device_kind_check",
    ADD CONSTRAINT "Device_kind_check" CHECK ("kind" IN ('file', 'loop', 'block'));

ALTER TABLE "Attachment" ADD COLUMN "verified" BOOLEAN NOT NULL DEFAULT false;
