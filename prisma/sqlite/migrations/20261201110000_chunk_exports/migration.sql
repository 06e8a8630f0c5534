-- Exports of the chunks that a map holds, and the epoch of a map. Exports that exist are of devices. The CHECK constraints
-- are by hand.

ALTER TABLE "Export" ADD COLUMN "chunkMap" TEXT;
ALTER TABLE "Export" ADD COLUMN "chunkField" TEXT
    CONSTRAINT "Export_chunkField_check" CHECK (("chunkField" IS NULL) = ("chunkMap" IS NULL));
ALTER TABLE "Export" ADD COLUMN "chunkAllocator" TEXT
    CONSTRAINT "Export_chunkAllocator_check" CHECK (("chunkAllocator" IS NULL) = ("chunkMap" IS NULL));
ALTER TABLE "HandleMap" ADD COLUMN "epoch" BIGINT NOT NULL DEFAULT 0
    CONSTRAINT "HandleMap_epoch_check" CHECK ("epoch" >= 0);
