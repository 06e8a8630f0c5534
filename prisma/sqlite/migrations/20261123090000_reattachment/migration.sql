-- Devices may be attached again by hand only. The CHECK constraint is by hand.

ALTER TABLE "Device" ADD COLUMN "reattachment" TEXT NOT NULL DEFAULT 'AUTOMATIC'
    CONSTRAINT "Device_reattachment_check" CHECK ("reattachment" IN ('AUTOMATIC', 'MANUAL'));
