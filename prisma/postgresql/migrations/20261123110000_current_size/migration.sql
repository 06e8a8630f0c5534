-- Devices may grow and shrink while they are attached. The CHECK constraint is by hand.

ALTER TABLE "Attachment"
    ADD COLUMN "currentSizeBytes" BIGINT NOT NULL DEFAULT 0,
    ADD CONSTRAINT "Attachment_currentSizeBytes_check" CHECK ("currentSizeBytes" BETWEEN 0 AND 9007199254740991);
UPDATE "Attachment" SET "currentSizeBytes" = "sizeBytes";
