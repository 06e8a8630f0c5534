-- Exports of the chunks that a map holds, and the epoch of a map. Exports that exist are of devices. The CHECK constraints
-- are by hand.

ALTER TABLE "Export"
    ADD COLUMN "chunkMap" TEXT,
    ADD COLUMN "chunkField" TEXT,
    ADD COLUMN "chunkAllocator" TEXT,
    ADD CONSTRAINT "Export_chunkField_check" CHECK (("chunkField" IS NULL) = ("chunkMap" IS NULL)),
    ADD CONSTRAINT "Export_chunkAllocator_check" CHECK (("chunkAllocator" IS NULL) = ("chunkMap" IS NULL));
ALTER TABLE "HandleMap"
    ADD COLUMN "epoch" BIGINT NOT NULL DEFAULT 0,
    ADD CONSTRAINT "HandleMap_epoch_check" CHECK ("epoch" >= 0);
