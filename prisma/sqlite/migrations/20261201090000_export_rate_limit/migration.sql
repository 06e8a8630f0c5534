-- What all sessions of an export may take together. Exports that exist stay without a limit. The CHECK constraints are by
-- hand.

ALTER TABLE "Export" ADD COLUMN "iops" INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "Export_iops_check" CHECK ("iops" >= 0);
ALTER TABLE "Export" ADD COLUMN "bytesPerSecond" BIGINT NOT NULL DEFAULT 0
    CONSTRAINT "Export_bytesPerSecond_check" CHECK ("bytesPerSecond" >= 0);
ALTER TABLE "Export" ADD COLUMN "burstMs" INTEGER NOT NULL DEFAULT 1000
    CONSTRAINT "Export_burstMs_check" CHECK ("burstMs" > 0);
ALTER TABLE "Export" ADD COLUMN "rateRevision" INTEGER NOT NULL DEFAULT 0;
